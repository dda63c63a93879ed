"""Reading the log, from the web process: a few threads with a database connection each, bounded."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import close_old_connections

from wedsync.live.log import reserve
from wedsync.live.models import Channel, ChannelEntry

P = ParamSpec("P")
R = TypeVar("R")
THREADS = 4
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="live-reader")


@dataclass(frozen=True)
class Position:
    """Where a channel stands."""

    channel_id: UUID
    epoch: str
    last: int


async def in_thread(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a database call in the bounded pool."""

    def work() -> R:
        close_old_connections()
        try:
            return call(*args, **kwargs)
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(_pool, work)


def position(organization_id: UUID, name: str) -> Position:
    """The channel's position; a channel that nobody has written to yet starts at 0."""
    known = Channel.objects.filter(organization_id=organization_id, name=name).first()
    if known is None:
        reserve({(organization_id, name): 0})
        known = Channel.objects.get(organization_id=organization_id, name=name)
    return Position(known.id, str(known.epoch), known.last_sequence)


def last_sequences(channel_ids: Iterable[UUID]) -> dict[UUID, int]:
    """The last sequence of each channel, in one query."""
    return dict(Channel.objects.filter(id__in=list(channel_ids)).values_list("id", "last_sequence"))


def frames_after(channel_id: UUID, name: str, sequence: int, most: int) -> list[dict[str, Any]]:
    """The event frames behind a cursor, oldest first. spec.md, "Contracts for clients"."""
    entries = (
        ChannelEntry.objects.filter(channel_id=channel_id, sequence__gt=sequence)
        .select_related("event")
        .order_by("sequence")[:most]
    )
    return [frame(name, entry) for entry in entries]


def frame(name: str, entry: ChannelEntry) -> dict[str, Any]:
    """One event as a client sees it."""
    event = entry.event
    return {
        "op": "event",
        "channel": name,
        "sequence": entry.sequence,
        "event": {
            "id": str(event.id),
            "type": event.type,
            "priority": event.priority,
            "occurred_at": event.occurred_at.isoformat(),
            "wedding_id": str(event.wedding_id) if event.wedding_id else None,
            "payload": event.payload,
        },
    }
