"""The error that these programs show to a person."""


class BenchError(Exception):
    """A measurement could not be made, or is not valid. The message says why and what to do."""
