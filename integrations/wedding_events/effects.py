"""An event's effect on its wedding, and the events that follow from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from integrations.references import clients, suppliers
from integrations.rules import known_before
from wedsync.live import channels
from wedsync.live.log.writer import MOST_HOPS, NewEvent
from wedsync.live.models import ChannelEvent
from wedsync.weddings import changes, fields
from wedsync.weddings.changes import ChangeResult, FieldChange, Said
from wedsync.weddings.fields import Value
from wedsync.weddings.models import Wedding

Effect, Source = ChannelEvent.Effect, ChannelEvent.Source


@dataclass(frozen=True)
class EventOrigin:
    """The origin of a new event. ``hops``: how often its cause was republished; ``author``: who caused it."""

    source: ChannelEvent.Source
    occurred_at: datetime
    correlation_id: UUID
    effect: ChannelEvent.Effect = Effect.NONE
    hops: int = 0
    author: str = ""


@dataclass(frozen=True)
class Applied:
    """An event's effect on its wedding, the events that follow, and its payload with what we knew before.

    ``payload``: ``None`` if it is unchanged.
    """

    effect: ChannelEvent.Effect
    consequences: Sequence[NewEvent] = ()
    payload: Mapping[str, Any] | None = None


def apply_to_wedding(event: ChannelEvent) -> Applied:
    """Write those values of the event to its wedding that are newer than what is known.

    An event that also has values which the wedding does not hold always counts as new. The caller stores the returned
    payload with the event, which messages use from then on.
    """
    if event.type == "client.updated":
        return _apply_to_contact(event)
    proposed = proposed_values(event.type, event.payload)
    values = readable(proposed, event.wedding)
    if not values or event.wedding is None:
        return Applied(Effect.NONE)
    said = Said(event.occurred_at, event.received_at, event.source_system_id)
    written = changes.apply(event.wedding.id, values, said)
    outcomes = {change.outcome for change in written}
    if ChangeResult.APPLIED not in outcomes:
        if len(values) < len(proposed):
            return Applied(Effect.NONE, payload=known_before.told(event.payload, written))
        return Applied(Effect.UNCHANGED if outcomes == {ChangeResult.UNCHANGED} else Effect.STALE)
    event.wedding.refresh_from_db()
    payload = known_before.told(event.payload, written)
    if event.hops >= MOST_HOPS:
        return Applied(Effect.APPLIED, payload=payload)
    origin = EventOrigin(Source.WEDSYNC, timezone.now(), event.correlation_id, hops=event.hops + 1)
    return Applied(Effect.APPLIED, capacity_exceeded(event.wedding, written, origin), payload)


def _apply_to_contact(event: ChannelEvent) -> Applied:
    change = clients.apply_event(event)
    return Applied(change.effect, payload={**event.payload, "before": change.before} if change.before else None)


def proposed_values(event_type: str, payload: Mapping[str, Any]) -> dict[str, object]:
    """The values that an event gives for its wedding, by field, not yet parsed."""
    match event_type:
        case "timeline.updated":
            return {change["field"]: change.get("after") for change in payload["changes"]}
        case "guest_count.changed":
            return {"guest_count": payload["guest_count"]}
        case "venue.capacity_updated":
            return {"capacity": payload["capacity"]}
        case "wedding.date_changed":
            return {"date": payload["date"]}
    return {}


def readable(proposed: Mapping[str, object], wedding: Wedding | None) -> dict[str, Value]:
    """The fields and values that the wedding can hold; times with an offset are converted to its zone."""
    values = {}
    for field, value in proposed.items():
        try:
            values[field] = fields.parse(field, value, wedding)
        except ValueError:
            continue
    return values


def capacity_exceeded(wedding: Wedding, written: Sequence[FieldChange], origin: EventOrigin) -> list[NewEvent]:
    """The event that guests now exceed the capacity, if a change just caused that; otherwise none."""
    touched = {change.field for change in written if change.outcome == ChangeResult.APPLIED}
    if not touched & {"guest_count", "capacity"} or wedding.guest_count is None or wedding.capacity is None:
        return []
    if wedding.guest_count <= wedding.capacity:
        return []
    payload = {"capacity": wedding.capacity, "guest_count": wedding.guest_count}
    return [wedding_event(wedding, "venue.capacity_exceeded", payload, origin)]


def wedding_event(wedding: Wedding, event_type: str, payload: Mapping[str, Any], origin: EventOrigin) -> NewEvent:
    """A new event of a wedding, on the channels that its type appears on."""
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
        author=origin.author,
        correlation_id=origin.correlation_id,
    )
