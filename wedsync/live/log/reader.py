"""Reading the log, for the sockets of a web process."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from django.db import connection
from django.db.models import Subquery

from wedsync.live.models import Channel, ChannelEntry


class ChannelKey(NamedTuple):
    """A channel by its name, whether anybody has written to it or not."""

    organization_id: UUID
    name: str


@dataclass(frozen=True)
class Position:
    """The position of a channel. ``epochs``: those that a cursor may name; clients are told the first one."""

    epochs: tuple[str, ...]
    last: int


def position(place: ChannelKey) -> Position:
    """The channel's position; one that nobody has written to yet starts at 0, and gets no row by being followed.

    Until there is a row, the epoch is worked out from the name. Who was told so may go on with it, since a channel's
    row, once written, stays (docs/adr/0059).
    """
    known = Channel.objects.filter(organization_id=place.organization_id, name=place.name)
    row = known.values_list("epoch", "last_sequence").first()
    unwritten = str(uuid5(place.organization_id, place.name))
    return Position((str(row[0]), unwritten), row[1]) if row else Position((unwritten,), 0)


_LAST_SEQUENCES = """
SELECT channel.organization_id, channel.name, channel.last_sequence
FROM unnest(%s::uuid[], %s::text[]) AS followed (organization_id, name)
JOIN live_channel channel ON channel.organization_id = followed.organization_id AND channel.name = followed.name
"""


def last_sequences(places: Collection[ChannelKey]) -> dict[ChannelKey, int]:
    """The last sequence of each channel that has been written to, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST_SEQUENCES, [[str(place.organization_id) for place in places], [p.name for p in places]])
        return {ChannelKey(organization_id, name): last for organization_id, name, last in cursor.fetchall()}


def frames_after(place: ChannelKey, sequence: int, most: int) -> list[dict[str, Any]]:
    """The event frames behind a cursor, oldest first. docs/developers/realtime.md, "Requests"."""
    channel = Channel.objects.filter(organization_id=place.organization_id, name=place.name)
    entries = (
        ChannelEntry.objects.filter(channel_id=Subquery(channel.values("id")), sequence__gt=sequence)
        .select_related("event")
        .order_by("sequence")[:most]
    )
    return [frame(place.name, entry) for entry in entries]


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
