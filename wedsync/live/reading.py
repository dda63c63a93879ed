"""Reading the log, for the sockets of a web process."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from wedsync.live.log import reserve
from wedsync.live.models import Channel, ChannelEntry


@dataclass(frozen=True)
class Position:
    """Where a channel stands."""

    channel_id: UUID
    epoch: str
    last: int


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
    """The event frames behind a cursor, oldest first. docs/realtime.md, "Requests"."""
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
