"""Primary keys: UUIDv7 made in Python, so that rows sort by time and can be partitioned later (docs/adr/0011)."""

from uuid import UUID

import uuid6


def new_id() -> UUID:
    """A new UUIDv7 (RFC 9562)."""
    return UUID(int=uuid6.uuid7().int)


def new_id_text() -> str:
    """The same as text, without the detour."""
    return str(uuid6.uuid7())
