"""Which event types a route accepts: exact names, ``booking.*``, ``*.cancelled``, and ``*`` for all."""

import re
from collections.abc import Iterable

from wedsync.live.event_types.catalogue import CATALOGUE

EVERY = "*"
_FILTER = re.compile(r"\*|[a-z0-9_]+\.\*|\*\.[a-z0-9_]+")


def names_of(event_type: str) -> list[str]:
    """Every filter that accepts an event type: ``booking.created``, ``booking.*``, ``*.created``, ``*``."""
    noun, _, verb = event_type.partition(".")
    return [event_type, f"{noun}.*", f"*.{verb}", EVERY]


def accepts(filters: Iterable[str], event_type: str) -> bool:
    """Whether a route with these filters accepts an event type. Without filters it accepts all."""
    wanted = set(filters)
    return not wanted or not wanted.isdisjoint(names_of(event_type))


def accepted_types(filters: Iterable[str]) -> list[str]:
    """The types of the catalogue that a route with these filters accepts."""
    wanted = set(filters)
    return [name for name in CATALOGUE if accepts(wanted, name)]


def is_wildcard(text: str) -> bool:
    """Whether a filter may match several types."""
    return _FILTER.fullmatch(text) is not None


def check(filters: Iterable[str]) -> None:
    """Refuse filters that accept no type of the catalogue and so could never match.

    Raises:
        ValueError: naming these filters, worded for a person.
    """
    useless = sorted(text for text in set(filters) if not (text in CATALOGUE or (is_wildcard(text) and _any(text))))
    if useless:
        raise ValueError(
            f"No event type is called {', '.join(useless)}. Write a full name, or * for the part before or after the "
            "dot, such as booking.* or *.cancelled."
        )


def _any(text: str) -> bool:
    return any(text in names_of(name) for name in CATALOGUE)
