"""A dry run: what would happen to an event, and why. Nothing is sent, and no row is written.

For a stored event, or for one that somebody pastes (:func:`pasted`). Routes and plans are worked out by the same
functions as in earnest; changes that an event would first make to its wedding are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from django.db.models import QuerySet
from django.utils import timezone
from pydantic import ValidationError

from integrations.errors import DeliveryError
from integrations.models import Delivery, Route, System
from integrations.references import suppliers
from integrations.registry.senders import RequestPreview, sender_for
from integrations.registry.targets import Matched, RequestedDelivery
from integrations.routing import planning, priorities, route_event
from integrations.routing.dry_run_report import DryRun, RouteAnswer, WouldSend
from integrations.routing.matching import EventFacts, checks, moving
from integrations.routing.planning import RoutingPlan
from integrations.states import Reason, State
from integrations.vendors.reasons import problems_of
from wedsync.env import ConfigurationError
from wedsync.live.channels import check_name, names_for
from wedsync.live.event_types.catalogue import is_known, type_of
from wedsync.live.models import ChannelEntry, ChannelEvent
from wedsync.queues import Priority
from wedsync.templating import time_budget
from wedsync.templating.time_budget import OutOfTime
from wedsync.weddings.models import Organization, Wedding
from wedsync.wire.problems import FieldProblem
from wedsync.wire.strict_json import is_storable

log = structlog.get_logger(__name__)
Routing, Effect = ChannelEvent.Routing, ChannelEvent.Effect
MOST_VERDICTS = 200
MOST_DELIVERIES = 200
MOST_SECONDS = 3.0
MOST_CHARACTERS = 2_000_000  # of requests and messages
_NOTES = {
    Routing.UNLINKED: "It is unlinked: it will be routed once it is linked to a wedding.",
    Routing.HELD: "Its connection is paused: it will be routed once the connection is resumed.",
    Routing.FAILED: "Its routing failed repeatedly and was given up.",
    Effect.UNCHANGED: "It changed nothing in its wedding, so it was not routed.",
    Effect.STALE: "It is older than what we know, so it was not routed.",
}


class CannotTry(ValueError):
    """A pasted event that is not valid. ``problems``: by field, worded for a form and for the API."""

    def __init__(self, problems: list[FieldProblem]) -> None:
        super().__init__(FieldProblem.listed(problems))
        self.problems = problems


@dataclass(frozen=True)
class Paste:
    """An event that is not stored. ``channels``: where it appears; ``None``: where its type does."""

    organization: Organization
    type: str
    payload: Mapping[str, Any]
    wedding: Wedding | None = None
    source_system: System | None = None
    priority: str = ""
    channels: Sequence[str] | None = None


def pasted(paste: Paste) -> tuple[ChannelEvent, list[str]]:
    """The event, not stored, and the channels it would appear on.

    Raises:
        CannotTry: the event is not valid.
    """
    payload = _checked(paste)
    now = timezone.now()
    event = ChannelEvent(
        organization=paste.organization,
        wedding=paste.wedding,
        type=paste.type,
        payload=payload,
        occurred_at=now,
        received_at=now,
        source=ChannelEvent.Source.WEBHOOK if paste.source_system else ChannelEvent.Source.API,
        source_system_id=paste.source_system.id if paste.source_system else None,
        priority=paste.priority or type_of(paste.type).priority,
    )
    return event, _names(paste, payload)


def _checked(paste: Paste) -> dict[str, Any]:
    problems = [
        FieldProblem(name, "belongs to another organization")
        for name, row in (("wedding", paste.wedding), ("source_system", paste.source_system))
        if row and row.organization_id != paste.organization.id
    ]
    if paste.priority not in {"", *Priority.values}:
        problems.append(FieldProblem("priority", f"must be one of {', '.join(Priority.values)}"))
    if not is_known(paste.type):
        problems.append(FieldProblem("type", "is neither an event type of the catalogue nor custom.<word>"))
    if problems:
        raise CannotTry(problems)
    if not is_storable(dict(paste.payload)):
        raise CannotTry([FieldProblem("payload", "contains characters that cannot be stored, such as NUL")])
    try:
        checked = type_of(paste.type).payload.model_validate(paste.payload)
    except ValidationError as error:
        found = problems_of(error)
        raise CannotTry([FieldProblem(f"payload.{each.field}", each.reason) for each in found]) from error
    return {name: value for name, value in checked.model_dump(mode="json").items() if value is not None}


def _names(paste: Paste, payload: Mapping[str, Any]) -> list[str]:
    if paste.channels is not None:
        try:
            return sorted({check_name(name) for name in paste.channels})
        except ValueError as error:
            raise CannotTry([FieldProblem("channels", str(error))]) from error
    wedding_id = paste.wedding.id if paste.wedding else None
    return names_for(
        paste.type,
        organization_id=paste.organization.id,
        wedding_id=wedding_id,
        supplier_ids=suppliers.of_weddings([wedding_id])[wedding_id] if wedding_id else (),
        source_system_id=paste.source_system.id if paste.source_system else None,
        payload=payload,
    )


def explain(
    event: ChannelEvent, names: Iterable[str] | None = None, *, after: int = 0, most: int = MOST_VERDICTS
) -> DryRun:
    """Every route of the event's organization with why it matches or does not, and what would be sent.

    Works for three seconds at most, and keeps two million characters of what would be sent; the rest is listed with a
    ``problem`` that says so (docs/adr/0060).

    Arguments:
        names: the channels of an event that is not stored.
        after: how many of the routes that do not match to skip; those that match are always included.
        most: how many of the routes that do not match to include.
    """
    with time_budget.within(MOST_SECONDS):
        return _explain(event, names, after, most)


def _explain(event: ChannelEvent, names: Iterable[str] | None, after: int, most: int) -> DryRun:
    if names is None:
        names = ChannelEntry.objects.filter(event_id=event.id).values_list("channel__name", flat=True)
    subject = EventFacts.of(event, names)
    plan = planning.work_out(subject, timezone.now())
    matching = [_matching(each, subject, plan) for each in plan.matches]
    broken = [RouteAnswer.of(route, (), problem=problem) for route, problem in plan.broken.items()]
    known = [*(each.route.id for each in plan.matches), *(route.id for route in plan.broken)]
    others = _others(event.organization_id, known)
    return DryRun(
        event_id=event.id if not event._state.adding else None,  # noqa: SLF001  (no row, no id to name)
        event_type=event.type,
        channels=tuple(subject.names),
        note=_note(event),
        matching=tuple(sorted([*matching, *broken], key=lambda each: (each.name, each.route_id))),
        others=tuple(_other(route, subject) for route in others[after : after + most]),
        others_count=others.count(),
        deliveries=tuple(_deliveries(event, plan)),
        deliveries_count=len(plan.requested),
        live=tuple(sorted(plan.live - set(subject.names))),
    )


def _deliveries(event: ChannelEvent, plan: RoutingPlan) -> Iterator[WouldSend]:
    """What would be sent, within the bounds."""
    size = 0
    for key, requested in list(plan.requested.items())[:MOST_DELIVERIES]:
        shown = _would_send(event, key, requested, shows=size < MOST_CHARACTERS)
        size += shown.size
        yield shown


def _note(event: ChannelEvent) -> str:
    return _NOTES.get(Routing(event.routing)) or _NOTES.get(Effect(event.effect)) or ""


def _others(organization_id: UUID, known: list[UUID]) -> QuerySet[Route]:
    rows = Route.objects.filter(organization_id=organization_id).exclude(id__in=known)
    return rows.prefetch_related("conditions").order_by("name", "id")


def _matching(matched: Matched, subject: EventFacts, plan: RoutingPlan) -> RouteAnswer:
    route = matched.route
    leads = route.target == Route.Target.LIVE or any(matched in each.matches for each in plan.requested.values())
    moves = tuple(f"{condition}: {step:+d}" for condition, step in moving(route, subject))
    note = "" if leads else _leads_nowhere(route, subject.event)
    return RouteAnswer.of(route, tuple(checks(route, subject)), channel=matched.name, moves=moves, note=note)


def _other(route: Route, subject: EventFacts) -> RouteAnswer:
    try:
        return RouteAnswer.of(route, tuple(checks(route, subject)))
    except OutOfTime as error:
        return RouteAnswer.of(route, (), problem=str(error))
    except Exception as error:  # a broken route must not hide the others
        log.exception("route_broken", route=str(route.id))
        return RouteAnswer.of(route, (), problem=f"{type(error).__name__}: see the log for the traceback")


def _leads_nowhere(route: Route, event: ChannelEvent) -> str:
    """Why a route that matches makes no delivery."""
    if route.target == Route.Target.PEOPLE:
        return "Nobody at this wedding is meant, or none of them has an address on this channel."
    if route.system_id == event.source_system_id and not route.echo:
        return "The event came from this system, and the route does not allow echo."
    if route.system_id and suppliers.booking_id(route.system_id, event.wedding_id) is None:
        return "The system has no external reference for the wedding."
    return "The system has no call for this event type."


def _would_send(event: ChannelEvent, key: str, requested: RequestedDelivery, *, shows: bool) -> WouldSend:
    delivery = route_event.row_of(event, key, requested)
    preview, problem = _preview(delivery) if shows else (None, "left out: this dry run already shows too much")
    state, reason = _standing(delivery)
    return WouldSend(
        system=delivery.system.name,
        recipient=str(delivery.recipient),
        channel=delivery.channel,
        routes=tuple(each.route.name for each in requested.matches),
        priority=delivery.priority,
        priority_because=priorities.work_out(event, timezone.now(), requested.matches).because,
        state=state,
        reason=reason,
        held_until=delivery.next_attempt_at if delivery.state == State.HELD else None,
        expires_at=delivery.expires_at,
        shaped_by=requested.shaped_by.name if requested.shaped_by else "",
        request=preview.request if preview else None,
        subject=preview.subject if preview else "",
        text=preview.text if preview else "",
        problem=problem,
        already=_already(event, key),
    )


def _standing(delivery: Delivery) -> tuple[str, str]:
    """The delivery's first state, or the one that its system's state would give it at the first attempt."""
    if delivery.state == State.SKIPPED or delivery.system.state == System.Status.ACTIVE:
        return delivery.state, delivery.state_reason
    if delivery.system.state == System.Status.PAUSED:
        return State.HELD, Reason.SYSTEM_PAUSED
    return State.DEAD, Reason.SYSTEM_DISABLED


def _preview(delivery: Delivery) -> tuple[RequestPreview | None, str]:
    try:
        time_budget.look_at_the_clock()
        return sender_for(delivery.channel).preview(delivery), ""
    except OutOfTime as error:
        return None, str(error)
    except (DeliveryError, ConfigurationError) as error:
        return None, str(error)
    except Exception as error:
        log.exception("preview_broken", channel=delivery.channel)
        return None, f"{type(error).__name__} in our own code; see the log for the traceback"


def _already(event: ChannelEvent, key: str) -> str:
    """The state of a stored event's existing delivery to this target."""
    if event._state.adding:  # noqa: SLF001
        return ""
    return Delivery.objects.filter(dedupe_key=key).values_list("state", flat=True).first() or ""
