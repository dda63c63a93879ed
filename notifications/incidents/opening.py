"""Incidents: an emergency opens one for its wedding, and further reports join it.

Reports are processed in the routing's transaction, which locks the incident's row: of two simultaneous reports one
opens the incident and the other joins it. Who is told of a report is decided there, once, and read everywhere else.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from integrations.deliveries.state_changes import change
from integrations.models import Delivery, Route
from integrations.models.deliveries import STAFF_CALL
from integrations.registry.senders import SYSTEM_CHANNEL
from integrations.registry.targets import PlannedDelivery
from integrations.states import WAITING, Reason, State
from notifications.models import Incident, IncidentReport, Sending
from notifications.plans import in_force
from notifications.rules import plan_steps
from notifications.rules.plan_steps import Audience, Step
from notifications.trace import recording
from notifications.trace.recording import What
from wedsync.live.event_types.catalogue import EMERGENCY, Category, type_of
from wedsync.live.models import ChannelEvent

REPORTED, RESOLVED = EMERGENCY, "incident.resolved"
DRILL_STARTED, ACKNOWLEDGED = "incident.drill_started", "incident.acknowledged"
WEDDING_UNKNOWN = "incident.wedding_unknown"
FIRST_ESCALATION = 100
"""Steps of an incident's plan are numbered from here on, apart from the steps of a single notification's plan."""
FIRST_STAFF_CALL = STAFF_CALL
"""Calls of owners and support are numbered from here on."""
LIVING = ~Q(state=Incident.State.RESOLVED)


@dataclass(frozen=True)
class ReportAudience:
    """Who is told of a report. ``only``: pairs of channel and target; ``None``: everyone that the routes name."""

    only: frozenset[tuple[str, str]] | None = None
    why: str = ""


EVERYONE = ReportAudience()


def take_report(event: ChannelEvent) -> None:
    """Open an incident for an emergency, or add it to the open one; calling this again does nothing."""
    if event.type != REPORTED or event.wedding_id is None:
        return
    before = IncidentReport.objects.filter(event=event).select_related("incident").first()
    if before and before.incident.wedding_id:
        return
    if before:
        _leave(before, event)
    fresh = new_incident(event, event.wedding_id, opened_by=str(event.payload.get("reported_by") or ""))
    living = Incident.objects.select_for_update(no_key=True).filter(LIVING, wedding_id=event.wedding_id, drill=False)
    incident = None
    while incident is None:  # the open one that conflicted may have been resolved since
        Incident.objects.bulk_create([fresh], ignore_conflicts=True)
        incident = living.first()
    if incident.event_id == event.id:
        IncidentReport.objects.create(incident=incident, event=event, words=words_of(event), told_at=Now())
        recording.note_event(event, What.JOINED, f"It opened an incident: {incident.id}.")
        return
    _join(incident, event)


def _leave(report: IncidentReport, event: ChannelEvent) -> None:
    """Take a report out of its incident without a wedding, since it has found its own wedding.

    If it was the last report, nothing is left to ask staff about, and that incident ends.
    """
    incident = Incident.objects.select_for_update(no_key=True).get(id=report.incident_id)
    report.delete()
    if incident.state == Incident.State.RESOLVED or incident.reports.exists():
        return
    incident.state, incident.resolved_at, incident.resolved_by = Incident.State.RESOLVED, timezone.now(), "a reference"
    incident.staff_due_at = incident.assumed_at = None
    incident.chosen_wedding = event.wedding
    incident.save()
    call_off(incident)


def new_incident(event: ChannelEvent, wedding_id: UUID, *, opened_by: str, drill: bool = False) -> Incident:
    """An incident that an event opens, with the current plan; not yet stored."""
    steps = _incident_steps(in_force.plan_of(event.organization_id, Category.EMERGENCIES))
    now = timezone.now()
    return Incident(
        organization_id=event.organization_id,
        wedding_id=wedding_id,
        event=event,
        kind=str(event.payload.get("kind") or "")[:200],
        description=str(event.payload.get("description") or ""),
        drill=drill,
        opened_by=opened_by[:200],
        steps=[step.as_json() for step in steps],
        next_step_at=Now() + timedelta(seconds=pause_before(steps[1] if len(steps) > 1 else steps[0])),
        told_at=now,
        staff_due_at=None if drill else Now() + timedelta(seconds=settings.NOBODY_REACHED_SECONDS),
    )


def _incident_steps(whole: Iterable[Step]) -> list[Step]:
    """The first step, and those that follow the call order; the others lead from channel to channel."""
    first, *rest = plan_steps.unfolded(list(whole))
    return [first, *(step for step in rest if step.audience != Audience.EVERYONE)]


def pause_before(step: Step) -> float:
    """Seconds from the previous step to this one."""
    return settings.ESCALATION_SECONDS if step.after is None else step.after


def _join(incident: Incident, event: ChannelEvent) -> None:
    """A further report: told when it says something new, at most every two minutes."""
    words = words_of(event)
    known = incident.reports.exclude(told_at=None).filter(words=words).exists()
    now, pause = timezone.now(), timedelta(seconds=settings.INCIDENT_PAUSE_SECONDS)
    told = not known and incident.told_at + pause <= now
    IncidentReport.objects.create(incident=incident, event=event, words=words, told_at=now if told else None)
    if known:
        recording.note_event(event, What.JOINED, f"It adds nothing new to incident {incident.id}, so nobody is told.")
    elif told:
        incident.told_at = now
        incident.save(update_fields=["told_at"])
        recording.note_event(event, What.JOINED, f"It joined incident {incident.id}; those already alerted are told.")
    else:
        incident.update_due_at = incident.told_at + pause
        incident.save(update_fields=["update_due_at"])
        text = f"It joined incident {incident.id} and will be told by {incident.update_due_at:%H:%M:%S} UTC."
        recording.note_event(event, What.JOINED, text)


def words_of(event: ChannelEvent) -> str:
    """What a report says, in a form in which the same words are equal."""
    said = f"{event.payload.get('kind', '')}\n{event.payload.get('description', '')}"
    return hashlib.sha256(" ".join(said.casefold().split()).encode()).hexdigest()


def telling(event: ChannelEvent) -> ReportAudience:
    """Who an event's routes may tell. Reads only; an event that is not stored counts as a new report."""
    if event.type in {ACKNOWLEDGED, RESOLVED}:
        own = Incident.objects.filter(organization_id=event.organization_id, id__in=_named_by(event))
        found = own.first()
        return ReportAudience(_alerted(found) if found else frozenset(), "it is for those who were alerted")
    if event.type != REPORTED or event.wedding_id is None:
        return EVERYONE
    report = IncidentReport.objects.filter(event_id=event.id).select_related("incident").first()
    if report is None:
        living = Incident.objects.filter(LIVING, wedding_id=event.wedding_id, drill=False).first()
        return ReportAudience(_alerted(living), "an incident is open") if living else EVERYONE
    if report.incident.event_id == event.id:
        return EVERYONE
    if report.told_at is None:
        return ReportAudience(frozenset(), "it says nothing new, or came too soon")
    return ReportAudience(_alerted(report.incident), "it joined an incident")


def _named_by(event: ChannelEvent) -> list[UUID]:
    """The incident whose acknowledgement or end an event of ours reports; empty where the payload names none."""
    try:
        return [UUID(str(event.payload.get("incident_id")))]
    except ValueError:
        return []


def _alerted(incident: Incident) -> frozenset[tuple[str, str]]:
    return frozenset((each.channel, each.target) for each in alerted(incident))


def events_of(incident: Incident) -> list[ChannelEvent]:
    """The event that opened it, and its further reports."""
    return list(ChannelEvent.objects.filter(Q(id=incident.event_id) | Q(report__incident=incident)))


def alerted(incident: Incident) -> list[PlannedDelivery]:
    """Everyone who was alerted, once on each channel and address."""
    rows = Sending.objects.filter(delivery__event__in=[event.id for event in events_of(incident)])
    never_sent = Q(delivery__state=State.CANCELLED, delivery__may_duplicate=False)
    rows = rows.exclude(Q(delivery__state=State.SKIPPED) | never_sent)
    found: dict[tuple[str, str], PlannedDelivery] = {}
    for each in rows.select_related("delivery__system", "delivery__contact", "notification").order_by("delivery_id"):
        delivery, notification = each.delivery, each.notification
        found.setdefault(
            (delivery.channel, delivery.target),
            PlannedDelivery(
                Route.Target.PEOPLE,
                delivery.target,
                delivery.channel,
                delivery.system,
                delivery.contact,
                recipient=notification.recipient,
                name=notification.name,
            ),
        )
    return list(found.values())


def stop_escalation(incident: Incident) -> int:
    """Call off the deliveries of further steps that are not yet sent; returns how many. Those in flight go on."""
    waiting = Delivery.objects.filter(
        event_id=incident.event_id, plan_step__gte=FIRST_ESCALATION, state__in=list(WAITING)
    )
    return change(waiting, State.CANCELLED, Reason.ACKNOWLEDGED)


def call_off(incident: Incident) -> int:
    """Call off everything that still waits of an incident's reports and steps; returns how many."""
    of_people = Delivery.objects.exclude(channel=SYSTEM_CHANNEL).filter(state__in=list(WAITING))
    waiting = of_people.filter(event__in=[event.id for event in events_of(incident)])
    return change(waiting, State.CANCELLED, Reason.ACKNOWLEDGED)


def of_delivery(delivery: Delivery) -> Incident | None:
    """The incident that a delivery reports, or whose acknowledgement or end it reports; ``None``: there is none."""
    event = delivery.event
    if type_of(event.type).category != Category.EMERGENCIES:
        return None
    tells = Q(reports__event_id=event.id) | Q(event_id=event.id)
    if event.type in {ACKNOWLEDGED, RESOLVED, WEDDING_UNKNOWN}:
        tells = Q(id__in=_named_by(event))
    return Incident.objects.filter(tells, organization_id=delivery.organization_id).select_related("wedding").first()
