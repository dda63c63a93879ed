"""Appends to the log: events, and their entries with gapless sequences.

One counter row per channel, locked in name order by a single statement until the commit, so that a reader of sequence n
has seen all before it (docs/adr/0006).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from wedsync.correlation import current_or_new
from wedsync.ids import new_id
from wedsync.live.event_types.catalogue import type_of
from wedsync.live.models import ChannelEntry, ChannelEvent

MOST_HOPS = 3


@dataclass(frozen=True)
class NewEvent:
    """An event to be stored. ``channels`` are names, each once; ``payload`` is canonical and ready for JSON."""

    organization_id: UUID
    wedding_id: UUID | None
    type: str
    payload: dict[str, Any]
    occurred_at: datetime
    source: ChannelEvent.Source
    channels: Sequence[str]
    source_system_id: UUID | None = None
    effect: ChannelEvent.Effect = ChannelEvent.Effect.PENDING
    hops: int = 0
    author: str = ""
    id: UUID = field(default_factory=new_id)
    correlation_id: UUID = field(default_factory=current_or_new)


Place = tuple[ChannelEvent, str]  # an event, and the channel that it will appear on


def append(new_events: Sequence[NewEvent], also: Sequence[Place] = ()) -> list[ChannelEvent]:
    """Store events and their channel entries. Needs an open transaction; the counters stay locked until it ends.

    Call it once per transaction, and after changing a wedding: locking in a different order risks a deadlock.
    ``also``: events stored earlier, on further channels. An event without a wedding is kept as unlinked, since nobody
    can be told about it yet; events about WedSync itself, and clients' own types, need none.
    """
    events = ChannelEvent.objects.bulk_create([_row(new) for new in new_events])
    own = [(event, name) for event, new in zip(events, new_events, strict=True) for name in new.channels]
    _append_entries([*own, *also])
    return events


def _row(new: NewEvent) -> ChannelEvent:
    return ChannelEvent(
        id=new.id,
        organization_id=new.organization_id,
        wedding_id=new.wedding_id,
        type=new.type,
        payload=new.payload,
        occurred_at=new.occurred_at,
        source=new.source,
        source_system_id=new.source_system_id,
        priority=type_of(new.type).priority,
        correlation_id=new.correlation_id,
        hops=new.hops,
        effect=new.effect,
        author=new.author[:200],
        routing=_routing(new),
    )


def _routing(new: NewEvent) -> ChannelEvent.Routing:
    if new.wedding_id is None and type_of(new.type).needs_wedding:
        return ChannelEvent.Routing.UNLINKED
    return ChannelEvent.Routing.PENDING


def _append_entries(places: Sequence[Place]) -> list[ChannelEntry]:
    """Put events on channels, in the given order on each."""
    if not places:
        return []
    counts = Counter((event.organization_id, name) for event, name in places)
    counters = reserve(counts)
    entries = []
    for event, name in places:
        channel_id, next_sequence = counters[event.organization_id, name]
        counters[event.organization_id, name] = channel_id, next_sequence + 1
        entries.append(ChannelEntry(channel_id=channel_id, sequence=next_sequence, event=event))
    return ChannelEntry.objects.bulk_create(entries)


def reserve(counts: dict[tuple[UUID, str], int]) -> dict[tuple[UUID, str], tuple[UUID, int]]:
    """Reserve sequences of each channel; returns its id and the first one reserved. Creates new channels."""
    wanted = sorted(counts, key=lambda key: (str(key[0]), key[1]))
    rows = ", ".join(["(%s, %s, %s, %s, %s)"] * len(wanted))
    values = [item for key in wanted for item in (new_id(), *key, counts[key], uuid4())]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO live_channel (id, organization_id, name, last_sequence, epoch) VALUES {rows} "  # noqa: S608
            "ON CONFLICT (organization_id, name) DO UPDATE "
            "SET last_sequence = live_channel.last_sequence + EXCLUDED.last_sequence "
            "RETURNING organization_id, name, id, last_sequence",
            values,
        )
        return {
            (organization, name): (channel, last - counts[organization, name] + 1)
            for organization, name, channel, last in cursor.fetchall()
        }
