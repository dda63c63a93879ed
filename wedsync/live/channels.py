"""Names of live channels, and patterns over them.

Segments ``[A-Za-z0-9_-]{1,64}`` joined by ``:``; in patterns ``*`` and ``{name}`` match one segment.
docs/developers/realtime.md, "Channels".
"""

import re
from collections.abc import Iterable, Mapping
from uuid import UUID

from wedsync.live.event_types.catalogue import CATALOGUE, Scope

_SEGMENT = r"[A-Za-z0-9_-]{1,64}"
LONGEST_NAME = 194  # characters
MOST_CHANNELS = 128  # per socket
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
    """Whether a route's channel pattern covers a channel."""
    return all(
        _WILDCARD.fullmatch(wanted) or wanted == found
        for wanted, found in zip(pattern.split(":"), name.split(":"), strict=True)
    )


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


def ops_channel(organization_id: UUID | str) -> str:
    """The channel on which an organization's staff see the health of its systems."""
    return f"ops:health:{organization_id}"


def names_of_wedding(wedding_id: UUID | str) -> list[str]:
    """The company's own channels that show one wedding."""
    return [f"couple:dashboard:{wedding_id}", f"journey:milestone:{wedding_id}"]


def names_for(
    event_type: str,
    *,
    organization_id: UUID | str,
    wedding_id: UUID | str | None,
    supplier_ids: Iterable[UUID | str] = (),
    source_system_id: UUID | str | None = None,
    payload: Mapping[str, object] | None = None,
) -> list[str]:
    """The channels that an event appears on, sorted. ``supplier_ids`` are the systems of the wedding."""
    found: set[str] = set()
    for scope in CATALOGUE[event_type].scopes:
        match scope:
            case Scope.COUPLE if wedding_id:
                found.add(f"couple:dashboard:{wedding_id}")
            case Scope.JOURNEY if wedding_id:
                found.add(f"journey:milestone:{wedding_id}")
            case Scope.SUPPLIERS:
                found.update(f"supplier:dashboard:{supplier}" for supplier in supplier_ids)
            case Scope.SUPPLIER if source_system_id:
                found.add(f"supplier:dashboard:{source_system_id}")
            case Scope.PHOTOGRAPHY:
                found.add(f"supplier:photography:{organization_id}")
            case Scope.URGENT:
                found.add(f"urgent:wedding-day:{organization_id}")
            case Scope.OPS:
                found.add(ops_channel(organization_id))
            case Scope.FORM if payload and payload.get("form_id"):
                found.add(f"form:response:{payload['form_id']}")
    return sorted(found)
