"""An incident's further steps: from person to person, until somebody acknowledges or the plan ends.

The timer is a column of the incident. A step keeps the row locked until its deliveries are stored; an acknowledgement
waits for that and then calls them off (docs/staff/incidents.md).
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from integrations.health import alerts
from integrations.models import Delivery, System
from integrations.models.health import Cause
from integrations.registry.targets import PlannedDelivery
from notifications import sweep_rounds
from notifications.incidents import opening
from notifications.models import Incident
from notifications.plans import extra_deliveries
from notifications.recipients import resolving, staff
from notifications.recipients.resolving import Person
from notifications.rules import plan_steps, policy
from notifications.rules.plan_steps import Audience, Step
from notifications.trace import recording
from notifications.trace.recording import What
from wedsync.queues import Priority
from wedsync.weddings.models import ContactChannel

RETRY = timedelta(seconds=10)
_PLACES = {Audience.FIRST: 0, Audience.SECOND: 1, Audience.THIRD: 2}


def escalate_due() -> int:
    """Take the next step of every open incident that is due; returns how many steps."""
    due = Incident.objects.filter(state=Incident.State.OPEN, next_step_at__lte=Now()).order_by("next_step_at")
    return sweep_rounds.work_off(
        due, escalate, broken="incident_not_escalated", requests="event__correlation_id", next_step_at=Now() + RETRY
    )


@transaction.atomic
def escalate(incident_id: UUID) -> bool:
    """Take one incident's next step, skipping steps that have nobody to tell; false where it is not due."""
    rows = Incident.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
    due = rows.filter(id=incident_id, state=Incident.State.OPEN, next_step_at__lte=Now())
    incident = due.select_related("wedding", "event__wedding").first()
    if incident is None:
        return False
    steps = plan_steps.kept(incident.steps)
    while incident.step + 1 < len(steps):
        incident.step += 1
        if _take(incident, steps[incident.step]):
            break
    else:
        _end(incident)
    following = steps[incident.step + 1] if incident.step + 1 < len(steps) else None
    incident.next_step_at = None
    if incident.ended_at is None:
        pause = opening.pause_before(following or steps[incident.step])
        incident.next_step_at = Now() + timedelta(seconds=pause)
    incident.save(update_fields=["step", "next_step_at", "ended_at"])
    return True


def hurry(event_id: UUID) -> None:
    """The first step of an event's incident reached nobody: make its next step, and the call of staff, due now."""
    of_wedding = Incident.objects.filter(
        event_id=event_id, state=Incident.State.OPEN, step=0, drill=False, wedding__isnull=False
    )
    of_wedding.update(next_step_at=Now(), staff_due_at=Now())


def _take(incident: Incident, step: Step) -> bool:
    """Take a step; whether it has anybody to tell."""
    chosen = list(_audience(incident, step))
    if not policy.reaches_somebody(chosen):
        return False
    why = f"step {incident.step}: nobody has acknowledged; now {step.audience}"
    made = extra_deliveries.create(
        incident.event,
        chosen,
        plan_step=opening.FIRST_ESCALATION + incident.step,
        why=why,
        priority=Priority.URGENT,
    )
    names = ", ".join(sorted({planned.name for planned in chosen}))
    recording.note_event(incident.event, What.ESCALATED, f"{why}: {names}")
    return bool(made)


def _audience(incident: Incident, step: Step) -> Iterable[PlannedDelivery]:
    if incident.drill:
        yield from staff.everyone(incident.organization_id, incident.wedding)
        return
    if step.audience == Audience.TEAM:
        yield from _team(incident, step)
        return
    called = in_call_order(incident)
    place = _PLACES[step.audience]
    yield from _by(called[place : place + 1], step, incident)


def in_call_order(incident: Incident) -> list[Person]:
    """The people who must acknowledge, in the order in which they are called."""
    if incident.wedding_id is None:
        return []
    return resolving.in_call_order(incident.organization_id, incident.wedding_id, incident.event)


def asks(delivery: Delivery, incident: Incident) -> bool:
    """Whether a delivery's reader is asked to acknowledge: teams, staff, and the people in the call order."""
    if incident.state != Incident.State.OPEN:
        return False
    of_plan = delivery.plan_step >= opening.FIRST_ESCALATION
    if (
        of_plan
        or delivery.channel == ContactChannel.SLACK
        or delivery.contact_id is None
        or incident.wedding_id is None
    ):
        return True
    called = in_call_order(incident)
    return any(contact.id == delivery.contact_id for person in called for contact in person.contacts)


def _by(people: Sequence[Person], step: Step, incident: Incident) -> Iterable[PlannedDelivery]:
    senders = resolving.sending_systems(incident.organization_id)
    for person in people:
        yield from resolving.to_person(person, step.channels, senders, Priority.URGENT, timezone.now())


def _team(incident: Incident, step: Step) -> Iterable[PlannedDelivery]:
    """The coordinator's team: the Slack channels that the emergency went to, and the coordinators; else the staff."""
    teams: list[PlannedDelivery] = []
    if ContactChannel.SLACK in step.channels:
        ids = [each.target for each in opening.alerted(incident) if each.channel == ContactChannel.SLACK]
        usable = System.objects.filter(id__in=ids, organization_id=incident.organization_id)
        teams = [resolving.to_team(team) for team in usable.exclude(state=System.Status.DISABLED)]
    everybody = (
        resolving.of_wedding(incident.organization_id, incident.wedding_id, incident.event)
        if incident.wedding_id
        else []
    )
    people = [person for person in everybody if resolving.is_coordinator(person)]
    found = [*teams, *_by(people, step, incident)]
    if policy.reaches_somebody(found):
        yield from found
        return
    yield from (planned for planned in found if not planned.skipped)
    yield from resolving.to_staff(incident.organization_id, resolving.sending_systems(incident.organization_id))


def _end(incident: Incident) -> None:
    """The plan is over and nobody has acknowledged: alert staff."""
    incident.ended_at = timezone.now()
    kind = incident.kind_in_words
    text = f"Nobody has acknowledged the {'drill' if incident.drill else 'emergency'} “{kind}” at {incident.wedding}."
    alerts.raise_alert(incident.organization_id, Cause.UNANSWERED, f"{text} Call them.", about=str(incident.id))
    recording.note_event(incident.event, What.ALERTED, f"{text} The plan has ended; staff are alerted.")
