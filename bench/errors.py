"""The one error that these programs show to a person."""


class BenchError(Exception):
    """A measurement could not be made, or does not count. The message says why and what to do."""
