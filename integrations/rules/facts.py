"""The facts of an event that conditions and transforms can read, and the dotted paths by which they do.

A path leads into the payload: ``guest_count``, ``extra.hall``, ``changes.0.field``; ``changes.*.field`` means each
element of the list. It may begin with ``payload.``, ``event.`` or ``wedding.`` to say where to look.
"""

import re
from collections.abc import Mapping
from datetime import date, time
from typing import Any

from wedsync.live.event_types.catalogue import is_known, type_of
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Wedding

Facts = Mapping[str, Any]
ANY = "*"
LONGEST_PATH = 200
_ROOTS = ("payload", "event", "wedding")
_PATH = re.compile(r"[^\s.]+(\.[^\s.]+)*")
_OF_WEDDING = (
    "couple", "date", "timezone", "venue_name", "ceremony_time", "reception_time", "reception_end", "guest_count",
    "capacity",
)  # fmt: skip


def facts_of(event: ChannelEvent) -> dict[str, Any]:
    """The event, its wedding (or ``None``) and its payload, as JSON values."""
    return {
        "payload": event.payload,
        "event": {
            "id": str(event.id),
            "type": event.type,
            "category": type_of(event.type).category.value if is_known(event.type) else None,
            "source": event.source,
            "source_system_id": str(event.source_system_id) if event.source_system_id else None,
            "priority": event.priority,
            "occurred_at": event.occurred_at.isoformat(),
            "received_at": event.received_at.isoformat(),
            "correlation_id": str(event.correlation_id),
            "hops": event.hops,
        },
        "wedding": facts_of_wedding(event.wedding) if event.wedding else None,
    }


def facts_of_wedding(wedding: Wedding) -> dict[str, Any]:
    """The wedding's basic data; times are local to the venue."""
    values = {"id": str(wedding.id)} | {name: getattr(wedding, name) for name in _OF_WEDDING}
    return {
        name: value.isoformat() if isinstance(value, date | time) else value
        for name, value in values.items()
        if value is not None
    }


def check_path(path: str) -> str:
    """Return the path itself.

    Raises:
        ValueError: it is not a path.
    """
    if len(path) > LONGEST_PATH or not _PATH.fullmatch(path):
        raise ValueError("a path consists of names joined by dots, such as guest_count, extra.hall or changes.*.field")
    return path


def is_many(path: str) -> bool:
    """Whether a path means each element of a list."""
    return ANY in path.split(".")


def find(path: str, facts: Facts) -> list[Any]:
    """The values at a path: none, one, or one for each element of a list."""
    root, *rest = path.split(".")
    steps = rest if root in _ROOTS and rest else [root, *rest]
    found: list[Any] = [facts[root if steps is rest else "payload"]]
    for step in steps:
        found = [inner for value in found for inner in _into(value, step)]
    return found


def _into(value: Any, step: str) -> list[Any]:
    if isinstance(value, Mapping):
        return [value[step]] if step in value else []
    if isinstance(value, list):
        if step == ANY:
            return value
        if re.fullmatch(r"[0-9]{1,6}", step) and int(step) < len(value):
            return [value[int(step)]]
    return []
