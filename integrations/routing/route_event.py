"""From one stored event to its deliveries, in one commit: apply to the wedding, match the routes, make the rows."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from integrations.deliveries import ordering
from integrations.deliveries.rows import planned_row
from integrations.health import alerts
from integrations.models import Delivery, DeliveryReason, Route, System
from integrations.models.health import Cause
from integrations.registry import followers
from integrations.registry.targets import Matched, RequestedDelivery
from integrations.routing import planning, priorities, stuck_rows
from integrations.routing.matching import EventFacts
from integrations.states import Reason, State
from integrations.wedding_events.effects import Applied, apply_to_wedding
from wedsync import correlation
from wedsync.database.prepared import Prepared
from wedsync.database.sessions import ROUTING_PATIENCE_MILLISECONDS, wait_at_most
from wedsync.live.event_types.catalogue import EMERGENCY
from wedsync.live.fan_out import hints
from wedsync.live.models import ChannelEntry, ChannelEvent
from wedsync.live.publishing import publish
from wedsync.queues import Priority

log = structlog.get_logger(__name__)
MOST_FAILURES = 10
Routing, Effect = ChannelEvent.Routing, ChannelEvent.Effect


# The lock timeout is set by the first write, so that it costs no round trip of its own.
_CLAIM = Prepared(
    "take_event",
    """
    WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', %(patience)s, true))
    UPDATE live_channelevent SET routing = 'routed', routed_at = now() FROM patience
    WHERE id = %(id)s AND routing = 'pending'
    """,
    {"id": "uuid", "patience": "text"},
)


@transaction.atomic
def route(event_id: UUID, *, patience_milliseconds: int = ROUTING_PATIENCE_MILLISECONDS) -> int:
    """Route an event once; returns how many deliveries were made. A second call does nothing.

    Raises:
        OperationalError: PostgreSQL is away, or another session kept a row locked for longer than we wait
            (``lock_is_held``); nothing has been written.
    """
    claimed, _ = _CLAIM.run({"id": event_id, "patience": str(patience_milliseconds)})
    if not claimed:
        for follower in followers.followers:
            follower.without_wedding(event_id)
        return 0
    event = ChannelEvent.objects.select_related("wedding").get(id=event_id)
    with correlation.of(event.correlation_id, event_id=str(event.id)):
        return _route(event)


def _route(event: ChannelEvent) -> int:
    if stuck_rows.known.is_known(stuck_rows.key_of(event)):
        wait_at_most(stuck_rows.IN_PASSING_MILLISECONDS)
    applied = apply_to_wedding(event) if event.effect == Effect.PENDING else Applied(Effect(event.effect))
    _note_effect(event, applied)
    if event.effect in {Effect.UNCHANGED, Effect.STALE}:
        return 0
    made, further = make_deliveries(event)
    publish(applied.consequences, also=[(event, name) for name in further])
    _hint(made)
    return len(made)


def _note_effect(event: ChannelEvent, applied: Applied) -> None:
    fields = ["effect"] if event.effect != applied.effect else []
    event.effect = applied.effect
    if applied.payload is not None:
        event.payload = dict(applied.payload)
        fields.append("payload")
    if fields:
        event.save(update_fields=fields)


@transaction.atomic
def route_again(event_id: UUID) -> int:
    """Make the deliveries that the present routes request and that are missing; returns how many.

    The wedding is not changed again, and an event that changed nothing there makes no delivery. An event whose routing
    was given up starts over. One that still waits for its routing is left alone.
    """
    events = ChannelEvent.objects.filter(id=event_id)
    if events.filter(routing=Routing.FAILED).update(routing=Routing.PENDING, routing_failures=0, hinted_at=None):
        return 0
    routed = events.filter(routing=Routing.ROUTED).exclude(effect__in=[Effect.UNCHANGED, Effect.STALE])
    event = routed.select_for_update(of=("self",), no_key=True).select_related("wedding").first()
    if event is None:
        return 0
    present = set(Delivery.objects.filter(event=event).values_list("id", flat=True))
    requested, further = make_deliveries(event)
    missing = [delivery for delivery in requested if delivery.id not in present]
    publish([], also=[(event, name) for name in further])
    _hint(missing)
    return len(missing)


def _hint(deliveries: Iterable[Delivery]) -> None:
    for delivery in deliveries:
        if delivery.state == State.PENDING:
            hints.delivery_due(delivery.id, delivery.priority, delivery.system_id)


def correlation_id_of(event_id: UUID) -> UUID | None:
    """The correlation id of an event, as in its log lines; ``None``: the event is gone."""
    return ChannelEvent.objects.filter(id=event_id).values_list("correlation_id", flat=True).first()


def give_up(event_id: UUID) -> None:
    """Count a failed routing; after several the event is set aside, so that it keeps no worker busy.

    If it is an emergency, staff are alerted, since nobody else would hear of it.
    """
    pending = ChannelEvent.objects.filter(id=event_id, routing=Routing.PENDING)
    pending.update(routing_failures=F("routing_failures") + 1)
    with transaction.atomic():
        if not pending.filter(routing_failures__gte=MOST_FAILURES).update(routing=Routing.FAILED):
            return
        log.error("event_set_aside", event_id=str(event_id))
        emergency = ChannelEvent.objects.filter(id=event_id, type=EMERGENCY).select_related("wedding").first()
        if emergency:
            kind = str(emergency.payload.get("kind") or "not given").replace("_", " ")
            text = (
                f"An emergency of {emergency.wedding} ({kind[:100]}) reached nobody, because of a fault of ours. "
                "Call the people involved. The log has the reason; the event can be processed again."
            )
            alerts.raise_alert(emergency.organization_id, Cause.NOBODY_REACHED, text, about=str(event_id))


def make_deliveries(event: ChannelEvent) -> tuple[list[Delivery], list[str]]:
    """Match the routes and make their deliveries, one per target; returns these, and further channels for the event."""
    names = list(ChannelEntry.objects.filter(event=event).values_list("channel__name", flat=True))
    for follower in followers.followers:
        follower.before_routing(event)
    plan = planning.work_out(EventFacts.of(event, names), timezone.now())
    made = _store(event, plan.requested)
    _tell_of_loops(event, plan.requested.values())
    return made, sorted(plan.live - set(names))


def _tell_of_loops(event: ChannelEvent, requested: Iterable[RequestedDelivery]) -> None:
    """Alert staff when a loop between two systems was stopped: only people can say which of them is right."""
    stopped = [each.planned.system for each in requested if each.planned.skipped == Reason.LOOP_STOPPED]
    if not stopped:
        return
    source = System.objects.filter(id=event.source_system_id).first() if event.source_system_id else None
    teller = source.name if source else "A system"
    for system in stopped:
        text = (
            f"“{teller}” and “{system.name}” contradict each other about {event.type} of {event.wedding}: after "
            f"{settings.LOOP_TURNS} turns “{system.name}” is no longer told. Correct it in one of them, or switch "
            "off one of the two routes between them."
        )
        alerts.raise_alert(event.organization_id, Cause.LOOP, text, about=str(event.wedding_id))


def delivery_priority(event: ChannelEvent, now: datetime, matches: Iterable[Matched] = ()) -> Priority:
    """The priority of a delivery that these routes request: see :mod:`integrations.routing.priorities`."""
    return priorities.work_out(event, now, matches).priority


def _store(event: ChannelEvent, requested: Mapping[str, RequestedDelivery]) -> list[Delivery]:
    rows = [row_of(event, key, each) for key, each in requested.items()]
    for follower in followers.followers:
        follower.before_storing(event, rows)
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)
    stored = {row.dedupe_key: row for row in Delivery.objects.filter(dedupe_key__in=list(requested))}
    DeliveryReason.objects.bulk_create(
        [
            DeliveryReason(delivery=stored[key], route=matched.route, route_name=matched.route.name)
            for key, each in requested.items()
            for matched in each.matches
        ],
        ignore_conflicts=True,
    )
    for follower in followers.followers:
        follower.after_routing(event, requested, stored)
    return list(stored.values())


def row_of(event: ChannelEvent, key: str, requested: RequestedDelivery) -> Delivery:
    """The delivery that routes request, not yet stored."""
    planned = requested.planned
    of_system = planned.kind == Route.Target.SYSTEM
    order_key, sets = ordering.order_of(event) if of_system else ordering.NO_ORDER
    priority = delivery_priority(event, timezone.now(), requested.matches)
    return planned_row(event, key, planned, priority, shaped_by=requested.shaped_by, order_key=order_key, sets=sets)
