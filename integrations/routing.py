"""From one stored event to its deliveries, in one commit: apply to the wedding, match the routes, make the rows."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from integrations import suppliers, targets
from integrations.models import Delivery, DeliveryReason, Route
from integrations.states import State
from integrations.targets import Plan
from wedsync.live import channels, hints
from wedsync.live.log import MOST_HOPS, NewEvent, append_entries
from wedsync.live.models import ChannelEntry, ChannelEvent
from wedsync.live.publishing import publish
from wedsync.queues import Priority, highest
from wedsync.weddings import changes
from wedsync.weddings.changes import Outcome
from wedsync.weddings.day import is_wedding_day, reception_end
from wedsync.weddings.models import Wedding

PEOPLE_AFTER_RECEPTION = timedelta(hours=6)
URGENT_LIFE = timedelta(hours=1)
LONGEST_LIFE = timedelta(days=7)
Routing, Effect = ChannelEvent.Routing, ChannelEvent.Effect


@transaction.atomic
def route(event_id: UUID) -> int:
    """Route an event, once; returns how many deliveries were made. Called again it does nothing."""
    taken = ChannelEvent.objects.filter(id=event_id, routing=Routing.PENDING).update(
        routing=Routing.ROUTED, routed_at=timezone.now()
    )
    if not taken:
        return 0
    event = ChannelEvent.objects.select_related("wedding").get(id=event_id)
    if event.effect == Effect.PENDING:
        event.effect = apply_to_wedding(event)
        event.save(update_fields=["effect"])
    if event.effect in {Effect.UNCHANGED, Effect.STALE}:
        return 0
    made = make_deliveries(event)
    for delivery in made:
        if delivery.state == State.PENDING:
            hints.after_commit(partial(hints.delivery_due, delivery.id, delivery.priority))
    return len(made)


def apply_to_wedding(event: ChannelEvent) -> ChannelEvent.Effect:
    """Write what the event says about its wedding, where it is newer than what is known."""
    values = wedding_values(event.type, event.payload)
    if not values or event.wedding_id is None:
        return Effect.NONE
    written = changes.apply(event.wedding_id, values, event.occurred_at)
    outcomes = {change.outcome for change in written}
    if Outcome.APPLIED not in outcomes:
        return Effect.UNCHANGED if outcomes == {Outcome.UNCHANGED} else Effect.STALE
    wedding = Wedding.objects.get(id=event.wedding_id)
    exceeded = capacity_exceeded(wedding, written, correlation_id=event.correlation_id, hops=event.hops + 1)
    if exceeded:
        publish([exceeded])
    return Effect.APPLIED


def wedding_values(event_type: str, payload: dict[str, Any]) -> dict[str, changes.Value]:
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


def capacity_exceeded(
    wedding: Wedding, written: Sequence[changes.Change], *, correlation_id: UUID, hops: int = 0
) -> NewEvent | None:
    """The event that says there are more guests than places, when a change just made it so."""
    touched = {change.field for change in written if change.outcome == Outcome.APPLIED}
    if not touched & {"guest_count", "capacity"} or wedding.guest_count is None or wedding.capacity is None:
        return None
    if wedding.guest_count <= wedding.capacity or hops > MOST_HOPS:
        return None
    return wedding_event(
        wedding,
        "venue.capacity_exceeded",
        {"capacity": wedding.capacity, "guest_count": wedding.guest_count},
        occurred_at=timezone.now(),
        source=ChannelEvent.Source.WEDSYNC,
        effect=Effect.NONE,
        hops=hops,
        correlation_id=correlation_id,
    )


def wedding_event(
    wedding: Wedding, event_type: str, payload: dict[str, Any], *, occurred_at: datetime, **rest: Any
) -> NewEvent:
    """A new event of a wedding, on the channels where its type appears."""
    whole = {"wedding_id": str(wedding.id), **payload}
    names = channels.names_for(
        event_type,
        organization_id=wedding.organization_id,
        wedding_id=wedding.id,
        supplier_ids=suppliers.of_weddings([wedding.id])[wedding.id],
        payload=whole,
    )
    return NewEvent(wedding.organization_id, wedding.id, event_type, whole, occurred_at, channels=names, **rest)


def make_deliveries(event: ChannelEvent) -> list[Delivery]:
    """Match the organization's routes against the event and make what they ask for; one delivery per target."""
    names = list(ChannelEntry.objects.filter(event=event).values_list("channel__name", flat=True))
    priority = delivery_priority(event)
    wanted: dict[str, tuple[Plan, list[Route]]] = {}
    live: set[str] = set()
    for found, name in matching_routes(event, names):
        if found.target == Route.Target.LIVE:
            live.add(channels.fill(found.live_channel, found.channel_pattern, name))
        for plan in targets.plans(found, event, priority):
            key = Delivery.key(event.id, plan.kind, plan.target, plan.channel)
            wanted.setdefault(key, (plan, []))[1].append(found)
    _show_on(event, sorted(live - set(names)))
    return _store(event, priority, wanted)


def matching_routes(event: ChannelEvent, names: Sequence[str]) -> Iterable[tuple[Route, str]]:
    """Each active route that matches, once, with the channel that it matched on."""
    routes = Route.objects.filter(organization_id=event.organization_id, active=True).select_related(
        "system", "contact"
    )
    for candidate in routes:
        if candidate.event_types and event.type not in candidate.event_types:
            continue
        matched = next((name for name in names if channels.matches(candidate.channel_pattern, name)), None)
        if matched:
            yield candidate, matched


def delivery_priority(event: ChannelEvent) -> Priority:
    """The event's priority, one step up on the wedding day up to high. spec.md, "Priority"."""
    priority = Priority(event.priority)
    if event.wedding is None or priority.rank >= Priority.HIGH.rank:
        return priority
    if not is_wedding_day(event.wedding, timezone.now()):
        return priority
    return highest(priority, list(Priority)[priority.rank + 1])


def _show_on(event: ChannelEvent, names: Sequence[str]) -> None:
    append_entries([(event, name) for name in names])
    hints.after_commit(partial(hints.entries_added, event.organization_id, names))


def _store(event: ChannelEvent, priority: Priority, wanted: dict[str, tuple[Plan, list[Route]]]) -> list[Delivery]:
    rows = [_row(event, priority, key, plan) for key, (plan, _) in wanted.items()]
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)
    stored = {row.dedupe_key: row for row in Delivery.objects.filter(dedupe_key__in=list(wanted))}
    DeliveryReason.objects.bulk_create(
        [
            DeliveryReason(delivery=stored[key], route=found, route_name=found.name)
            for key, (_, routes) in wanted.items()
            for found in routes
        ],
        ignore_conflicts=True,
    )
    return list(stored.values())


def _row(event: ChannelEvent, priority: Priority, key: str, plan: Plan) -> Delivery:
    now = timezone.now()
    row = Delivery(
        organization_id=event.organization_id,
        event=event,
        system=plan.system,
        contact=plan.contact,
        channel=plan.channel,
        target=plan.target,
        dedupe_key=key,
        priority=priority,
        expires_at=expiry(event, plan, priority, now),
    )
    if plan.skipped:
        row.state, row.state_reason, row.finished_at = State.SKIPPED, plan.skipped, now
    elif plan.held_until:
        row.state, row.state_reason, row.next_attempt_at = State.HELD, plan.held_because, plan.held_until
    return row


def expiry(event: ChannelEvent, plan: Plan, priority: Priority, now: datetime) -> datetime:
    """Until when a delivery is worth trying. spec.md, "expiry".

    Systems: 7 days. People: at the latest 6 h after the reception, urgent 1 h; news after the wedding, such as a
    gallery, keep the 7 days.
    """
    if plan.kind != Route.Target.PEOPLE:
        return now + LONGEST_LIFE
    if priority == Priority.URGENT:
        return now + URGENT_LIFE
    closing = reception_end(event.wedding) if event.wedding else None
    latest = closing + PEOPLE_AFTER_RECEPTION if closing else now
    return min(latest, now + LONGEST_LIFE) if latest > now else now + LONGEST_LIFE
