"""Calls staff repeatedly about an emergency that has no wedding or has reached nobody.

The timer is a column of the incident. Each call is its own set of deliveries, so every channel is tried again; earlier
deliveries that wait for a retry are called off first, so that a channel that works again brings one message.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from integrations.deliveries.state_changes import change
from integrations.health import alerts
from integrations.models import Alert, Delivery
from integrations.models.health import Cause
from integrations.registry.senders import SYSTEM_CHANNEL
from integrations.states import WAITING, Reason, State
from notifications import sweep_rounds
from notifications.incidents import held_emergencies, opening
from notifications.incidents.held_emergencies import Asking
from notifications.models import Incident, Message, Notification
from notifications.plans import extra_deliveries
from notifications.recipients import staff
from notifications.rules import policy
from notifications.trace import recording
from notifications.trace.recording import What
from wedsync.queues import Priority

RETRY = timedelta(seconds=5)


def call_due() -> int:
    """Call staff about every open incident that is due; returns how many incidents."""
    due = Incident.objects.filter(state=Incident.State.OPEN, staff_due_at__lte=Now()).order_by("staff_due_at")
    return sweep_rounds.work_off(
        due, call, broken="staff_not_called", requests="event__correlation_id", staff_due_at=Now() + RETRY
    )


@transaction.atomic
def call(incident_id: UUID) -> bool:
    """Call staff about one incident, if it is due and nobody has acknowledged it."""
    rows = Incident.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
    due = rows.filter(id=incident_id, state=Incident.State.OPEN, staff_due_at__lte=Now())
    incident = due.select_related("wedding", "event__wedding").first()
    if incident is None:
        return False
    standing = held_emergencies.asking(incident)
    if standing is Asking.NO:
        held_emergencies.end(incident)
        return False
    told = somebody_was_told(incident)
    if standing is Asking.LEAVING:
        incident.staff_due_at = Now() + held_emergencies.SOON
    elif told and incident.wedding_id and not incident.staff_calls:
        incident.staff_due_at = None
    elif told and not incident.wedding_id and incident.staff_calls == 1 and not _is_minute_over(incident):
        incident.staff_due_at = incident.told_at + _pace()
    else:
        if not told:
            _alert(incident)
        call_now(incident)
        return True
    incident.save(update_fields=["staff_due_at"])
    return False


def call_now(incident: Incident) -> None:
    """Tell staff on every channel they have. The caller has locked the incident's row."""
    step = opening.FIRST_STAFF_CALL + incident.staff_calls
    everyone = staff.everyone(incident.organization_id, incident.wedding)
    untried = _call_off_tried(incident, step)
    called = [each for each in everyone if (each.channel, each.target) not in untried]
    again = Notification.objects.filter(event=incident.event, recipient__in=[each.recipient for each in called])
    again.exclude(state=Notification.State.REACHED).update(
        state=Notification.State.OPEN, step=step, step_since=timezone.now(), look_at=None
    )
    why = "staff are told" + (f" again (call {incident.staff_calls + 1})" if incident.staff_calls else "")
    extra_deliveries.create(incident.event, called, plan_step=step, why=why, priority=Priority.URGENT)
    names = ", ".join(sorted({each.name for each in everyone if not each.skipped})) or "there is nobody to tell"
    recording.note_event(incident.event, What.ESCALATED, f"{why}: {names}")
    first = incident.staff_calls == 0 and incident.wedding_id is None
    incident.staff_calls += 1
    incident.told_at = timezone.now()
    incident.staff_due_at = Now() + (timedelta(seconds=settings.NOBODY_REACHED_SECONDS) if first else _pace())
    incident.reports.filter(told_at=None).update(told_at=Now())
    incident.save(update_fields=["staff_calls", "staff_due_at", "told_at"])
    if not any(not each.skipped for each in everyone):
        _alert(incident)


def somebody_was_told(incident: Incident) -> bool:
    """Whether any channel that shows what arrives has accepted a message about it that did not bounce."""
    events = [event.id for event in opening.events_of(incident)]
    uncounted = [SYSTEM_CHANNEL, *policy.UNPROVEN]
    taken = Delivery.objects.filter(event__in=events, state=State.SUCCEEDED).exclude(channel__in=uncounted)
    return taken.exclude(message__status=Message.Status.FAILED).exists()


def _is_minute_over(incident: Incident) -> bool:
    return incident.told_at + _pace() <= timezone.now()


def _pace() -> timedelta:
    return timedelta(seconds=settings.STAFF_CALL_SECONDS)


def _call_off_tried(incident: Incident, step: int) -> set[tuple[str, str]]:
    """Call off earlier calls' deliveries that wait for a retry; returns the channels and targets not yet tried at all.

    Each is tried, however far behind the workers are, and no second message is queued behind an untried one.
    """
    earlier = Delivery.objects.filter(
        event=incident.event,
        plan_step__gte=opening.FIRST_STAFF_CALL,
        plan_step__lt=step,
        state__in=list(WAITING),
    )
    change(earlier.filter(attempt_count__gt=0), State.CANCELLED, Reason.SUPERSEDED)
    return set(earlier.filter(attempt_count=0).values_list("channel", "target"))


def _alert(incident: Incident) -> None:
    """Raise the alert once: while it is open, the calls themselves repeat it."""
    if Alert.objects.filter(about=str(incident.id), cause=Cause.NOBODY_REACHED, resolved_at=None).exists():
        return
    kind = incident.kind_in_words
    text = f"Nobody could be reached about the emergency “{kind}” ({incident.about}). Open it, and call them."
    if alerts.raise_alert(incident.organization_id, Cause.NOBODY_REACHED, text, about=str(incident.id)):
        recording.note_event(incident.event, What.ALERTED, text)
