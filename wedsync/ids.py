"""Primary keys: UUIDv7, made in Python, so that rows sort by time and can be partitioned later (docs/adr/0011)."""

from datetime import datetime
from uuid import UUID

import uuid_utils
from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new UUIDv7 (RFC 9562)."""
    return uuid7()


def new_id_text() -> str:
    """A new UUIDv7 as text."""
    return str(uuid_utils.uuid7())


def new_id_and_text() -> tuple[UUID, str]:
    """A new UUIDv7 and its text, which together cost less than ``str`` of the id."""
    made = uuid_utils.uuid7()
    return UUID(int=made.int), str(made)


def as_id(value: object) -> UUID | None:
    """The id in a text; ``None`` where the value is not a text or not an id."""
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def first_id_since(moment: datetime) -> UUID:
    """The lowest UUIDv7 of a time: ids sort by time, so an index by id limits a query in time."""
    return UUID(int=(int(moment.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62))
