"""From a delivery to what its message is to be written about."""

from copy import copy

from integrations.models import Delivery
from notifications import incidents, windows
from notifications.wording import Subject
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Channel


def of(delivery: Delivery) -> Subject:
    """The subject of a delivery's message."""
    incident = incidents.of_delivery(delivery)
    return Subject(
        event=_whole_event(delivery),
        contact=delivery.contact,
        channel=Channel(delivery.channel),
        step=delivery.plan_step,
        escalated=incident is not None and delivery.plan_step > incidents.FIRST_ESCALATION,
        asks=incident is not None and incidents.asks(delivery, incident),
        drill=incident is not None and incident.drill,
        digest=windows.digest_of(delivery),
    )


def _whole_event(delivery: Delivery) -> ChannelEvent:
    """The event; of several changes that are told at once, with the way from the first to the last as its payload."""
    payload = windows.merged_payload(delivery)
    if payload is None:
        return delivery.event
    event = copy(delivery.event)
    event.payload = payload
    return event
