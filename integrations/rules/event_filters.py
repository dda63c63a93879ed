"""Which event types a route accepts: exact names, ``booking.*``, ``*.cancelled``, and ``*`` for all."""

import re
from collections.abc import Iterable

from wedsync.live.event_types.catalogue import CATALOGUE, is_custom

EVERY = "*"
_OWN, _EXAMPLE = "custom.*", "custom.example"
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
    """The types of the catalogue that a route with these filters accepts, and clients' own types that they name."""
    wanted = set(filters)
    own = {_EXAMPLE if text == _OWN else text for text in wanted if text == _OWN or is_custom(text)}
    return [*(name for name in CATALOGUE if accepts(wanted, name)), *sorted(own)]


def is_wildcard(text: str) -> bool:
    """Whether a filter may match several types."""
    return _FILTER.fullmatch(text) is not None


def check(filters: Iterable[str]) -> None:
    """Refuse filters that name neither a type of the catalogue nor clients' own types, and so could never match.

    Raises:
        ValueError: naming these filters, worded for a person.
    """
    useless = sorted(text for text in set(filters) if not _is_of_use(text))
    if useless:
        raise ValueError(
            f"No event type is called {', '.join(useless)}. Write a full name, or * for the part before or after the "
            "dot, such as booking.* or *.cancelled; custom.* for types of your own."
        )


def _is_of_use(text: str) -> bool:
    if text in CATALOGUE or text == _OWN or is_custom(text):
        return True
    return is_wildcard(text) and any(text in names_of(name) for name in CATALOGUE)
