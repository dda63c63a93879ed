"""The error that the runner shows to people."""


class RunnerError(Exception):
    """A problem that the person who typed the command can solve. The message says what it is, and how."""
