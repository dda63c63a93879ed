"""Closes alerts about emergencies and WhatsApp templates once their cause is over.

Nothing has to trigger it: each round checks the open alerts, which are few.
"""

from datetime import datetime, timedelta

from django.utils import timezone

from integrations.health import alerts
from integrations.models import Alert, Delivery
from integrations.models.health import Cause
from integrations.states import State
from integrations.sweep_pace import Pace
from notifications.incidents import staff_calls
from notifications.models import Incident, Notification, WhatsAppTemplate
from wedsync.ids import as_id, first_id_since
from wedsync.weddings.models import ContactChannel

CAUSES = (Cause.UNANSWERED, Cause.NOBODY_REACHED, Cause.TEMPLATE_REFUSED)
EVERY = 5.0  # seconds between two rounds of one process
BATCH = 100
LONGEST = timedelta(days=1)  # how long an event without an incident may still reach somebody
_rounds = Pace(EVERY)


def end_due() -> int:
    """Close the alerts whose cause is over, at most every five seconds in each process; returns how many."""
    return end_past() if _rounds.is_due() else 0


def end_past() -> int:
    """Close the alerts whose cause is over; returns how many."""
    still_open = Alert.objects.filter(cause__in=CAUSES, resolved_at=None).order_by("organization_id", "id")[:BATCH]
    return sum(alerts.resolve(alert) for alert in list(still_open) if is_over(alert, timezone.now()))


def is_over(alert: Alert, now: datetime) -> bool:
    """Whether an alert's cause is over."""
    if alert.cause == Cause.TEMPLATE_REFUSED:
        return _is_taken_again(alert)
    incident = _incident(alert)
    if incident is None:
        return _was_reached(alert) or alert.first_at + LONGEST < now
    if incident.state != Incident.State.OPEN:
        return True
    return alert.cause == Cause.NOBODY_REACHED and staff_calls.somebody_was_told(incident)


def _incident(alert: Alert) -> Incident | None:
    """The incident that an alert names, by its own id or that of the event that opened it."""
    if (about := as_id(alert.about)) is None:
        return None
    rows = Incident.objects.filter(organization_id=alert.organization_id)
    return rows.filter(id=about).first() or rows.filter(event_id=about).first()


def _was_reached(alert: Alert) -> bool:
    """Whether the event that an alert is about has reached somebody after all."""
    about = as_id(alert.about)
    reached = Notification.objects.filter(organization_id=alert.organization_id, state=Notification.State.REACHED)
    return about is not None and reached.filter(event_id=about).exists()


def _is_taken_again(alert: Alert) -> bool:
    """Whether a template was approved again or replaced, or Meta has since accepted a message that uses it."""
    own = WhatsAppTemplate.objects.filter(organization_id=alert.organization_id, name__startswith=alert.about)
    statuses = set(own.values_list("status", flat=True))
    if statuses:
        return WhatsAppTemplate.Status.PAUSED not in statuses
    taken = Delivery.objects.filter(
        organization_id=alert.organization_id,
        channel=ContactChannel.WHATSAPP,
        state=State.SUCCEEDED,
        id__gte=first_id_since(alert.last_at),
        request__body__icontains=f'"name": "{alert.about}',
    )
    return taken.exists()
