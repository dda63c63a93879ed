"""What an event does to its wedding, and the events that a wedding's changes make.

spec.md, "Events change the wedding".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from integrations import suppliers
from wedsync.live import channels
from wedsync.live.log import MOST_HOPS, NewEvent
from wedsync.live.models import ChannelEvent
from wedsync.live.publishing import publish
from wedsync.weddings import changes
from wedsync.weddings.changes import Change, Outcome, Value
from wedsync.weddings.models import Wedding

Effect, Source = ChannelEvent.Effect, ChannelEvent.Source


@dataclass(frozen=True)
class Origin:
    """Where a new event comes from. ``hops``: how often its cause was published anew."""

    source: ChannelEvent.Source
    occurred_at: datetime
    correlation_id: UUID
    effect: ChannelEvent.Effect = Effect.NONE
    hops: int = 0


def apply_to_wedding(event: ChannelEvent) -> ChannelEvent.Effect:
    """Write what the event says about its wedding, where it is newer than what is known."""
    values = wedding_values(event.type, event.payload)
    if not values or event.wedding_id is None:
        return Effect.NONE
    written = changes.apply(event.wedding_id, values, event.occurred_at)
    outcomes = {change.outcome for change in written}
    if Outcome.APPLIED not in outcomes:
        return Effect.UNCHANGED if outcomes == {Outcome.UNCHANGED} else Effect.STALE
    if event.hops < MOST_HOPS:
        origin = Origin(Source.WEDSYNC, timezone.now(), event.correlation_id, hops=event.hops + 1)
        publish(capacity_exceeded(Wedding.objects.get(id=event.wedding_id), written, origin))
    return Effect.APPLIED


def wedding_values(event_type: str, payload: Mapping[str, Any]) -> dict[str, Value]:
    """The wedding's fields that an event sets; what the wedding does not hold, or can not read, is left out."""
    match event_type:
        case "timeline.updated":
            proposed = {change["field"]: change["after"] for change in payload["changes"]}
        case "guest_count.changed":
            proposed = {"guest_count": payload["guest_count"]}
        case "venue.capacity_updated":
            proposed = {"capacity": payload["capacity"]}
        case "wedding.date_changed":
            proposed = {"date": payload["date"]}
        case _:
            return {}
    values = {}
    for field, value in proposed.items():
        try:
            values[field] = changes.parse(field, value)
        except ValueError:
            continue
    return values


def capacity_exceeded(wedding: Wedding, written: Sequence[Change], origin: Origin) -> list[NewEvent]:
    """The event that says there are more guests than places, when a change just made it so; else none."""
    touched = {change.field for change in written if change.outcome == Outcome.APPLIED}
    if not touched & {"guest_count", "capacity"} or wedding.guest_count is None or wedding.capacity is None:
        return []
    if wedding.guest_count <= wedding.capacity:
        return []
    payload = {"capacity": wedding.capacity, "guest_count": wedding.guest_count}
    return [wedding_event(wedding, "venue.capacity_exceeded", payload, origin)]


def wedding_event(wedding: Wedding, event_type: str, payload: Mapping[str, Any], origin: Origin) -> NewEvent:
    """A new event of a wedding, on the channels where its type appears."""
    whole = {"wedding_id": str(wedding.id), **payload}
    names = channels.names_for(
        event_type,
        organization_id=wedding.organization_id,
        wedding_id=wedding.id,
        supplier_ids=suppliers.of_weddings([wedding.id])[wedding.id],
        payload=whole,
    )
    return NewEvent(
        organization_id=wedding.organization_id,
        wedding_id=wedding.id,
        type=event_type,
        payload=whole,
        occurred_at=origin.occurred_at,
        source=origin.source,
        channels=names,
        effect=origin.effect,
        hops=origin.hops,
        correlation_id=origin.correlation_id,
    )
