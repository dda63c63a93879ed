"""The one error that the runner shows to a person."""


class RunnerError(Exception):
    """Something that the person who typed the command can repair. The message says what and how."""
