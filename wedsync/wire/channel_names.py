"""Names of live channels, and patterns over them.

Segments ``[A-Za-z0-9_-]{1,64}`` joined by ``:``; in patterns ``*`` and ``{name}`` match one segment.
docs/developers/realtime.md, "Channels".
"""

import re
from collections.abc import Iterable

_SEGMENT = r"[A-Za-z0-9_-]{1,64}"
LONGEST_NAME = 194  # characters
NAME = re.compile(rf"{_SEGMENT}:{_SEGMENT}:{_SEGMENT}")
_WILDCARD = re.compile(r"\*|\{[a-zA-Z][A-Za-z0-9_]{0,31}\}")


def check_name(name: str) -> str:
    """The name itself.

    Raises:
        ValueError: not ``scope:entity:id``.
    """
    if not NAME.fullmatch(name):
        raise ValueError("a channel is named scope:entity:id, each of 1 to 64 letters, digits, - or _")
    return name


def check_pattern(pattern: str) -> str:
    """The pattern itself.

    Raises:
        ValueError: a segment is neither a name, nor ``*``, nor ``{name}``.
    """
    segments = pattern.split(":")
    if len(segments) != 3 or not all(re.fullmatch(_SEGMENT, part) or _WILDCARD.fullmatch(part) for part in segments):
        raise ValueError("a channel pattern is scope:entity:id, where * or {name} matches one whole segment")
    return pattern


def matches(pattern: str, name: str) -> bool:
    """Whether a pattern covers a channel, or everything that another pattern covers."""
    return all(
        _WILDCARD.fullmatch(wanted) or wanted == found
        for wanted, found in zip(pattern.split(":"), name.split(":"), strict=True)
    )


def one_covers(patterns: Iterable[str], name: str) -> bool:
    """Whether one of several patterns covers a channel, or everything that another pattern covers."""
    return any(matches(pattern, name) for pattern in patterns)


def check_template(template: str, pattern: str) -> str:
    """The template itself: a channel name that may take segments from ``pattern``.

    Raises:
        ValueError: it names a segment that the pattern does not capture, or does not make a channel name.
    """
    check_pattern(template)
    unknown = {part for part in template.split(":") if _WILDCARD.fullmatch(part)} - set(pattern.split(":"))
    if unknown or "*" in template.split(":"):
        raise ValueError("a live channel is named scope:entity:id; a {name} in it must be in the pattern too")
    return template


def fill(template: str, pattern: str, name: str) -> str:
    """A channel name from a template such as ``form:mirror:{formId}``, with what the pattern captured from ``name``."""
    captured = dict(zip(pattern.split(":"), name.split(":"), strict=True))
    return ":".join(captured.get(part, part) if part.startswith("{") else part for part in template.split(":"))
