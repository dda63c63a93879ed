"""Records why a message was sent, or was not. Call it in the transaction of what it records."""

from collections.abc import Iterable
from uuid import UUID

from django.utils import timezone

from integrations.models import Delivery
from integrations.registry.targets import PlannedDelivery
from integrations.states import Reason
from notifications.models import Notification, Sending, TraceEntry
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import ContactChannel

LONGEST = 500
What = TraceEntry.What


def of_notification(
    notification: Notification, what: What, text: str, *, channel: str = "", delivery: Delivery | None = None
) -> TraceEntry:
    """An entry about one recipient, not yet stored."""
    return TraceEntry(
        organization_id=notification.organization_id,
        event_id=notification.event_id,
        recipient=notification.recipient,
        contact_id=notification.contact_id,
        delivery=delivery,
        channel=channel or (delivery.channel if delivery else ""),
        what=what,
        text=text[:LONGEST],
        at=timezone.now(),
    )


def of_passed_over(notification: Notification, planned: PlannedDelivery) -> list[TraceEntry]:
    """Why a recipient's other channels are not used, one entry for each; not yet stored."""
    return [
        of_notification(
            notification,
            What.NOT_SENT,
            f"{ContactChannel(channel).label} is not used: {Reason(reason).label.lower()}",
            channel=channel,
        )
        for channel, reason in planned.passed_over
    ]


def of_event(organization_id: UUID, event_id: UUID, what: What, text: str) -> TraceEntry:
    """An entry about an event as a whole, not yet stored."""
    return TraceEntry(organization_id=organization_id, event_id=event_id, what=what, text=text[:LONGEST])


def store(entries: Iterable[TraceEntry]) -> None:
    """Store entries."""
    TraceEntry.objects.bulk_create(list(entries))


def note(delivery: Delivery, what: What, text: str) -> None:
    """Store an entry about a delivery, under the notification that it carries."""
    sending = Sending.objects.filter(delivery_id=delivery.id).select_related("notification").first()
    if sending:
        entry = of_notification(sending.notification, what, text, delivery=delivery)
    else:  # a digest, or a message to staff
        entry = of_event(delivery.organization_id, delivery.event_id, what, text)
        entry.delivery_id, entry.contact_id, entry.channel = delivery.id, delivery.contact_id, delivery.channel
        entry.recipient = f"contact:{delivery.contact_id}" if delivery.contact_id else f"team:{delivery.system_id}"
    entry.save(force_insert=True)


def note_event(event: ChannelEvent, what: What, text: str) -> None:
    """Store an entry about an event as a whole."""
    of_event(event.organization_id, event.id, what, text).save(force_insert=True)
