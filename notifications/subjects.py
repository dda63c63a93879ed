"""From a delivery to what its message is to be written about."""

from integrations.models import Delivery
from notifications.wording import Subject
from wedsync.weddings.models import Channel


def of(delivery: Delivery) -> Subject:
    """The subject of a delivery's message."""
    return Subject(
        event=delivery.event, contact=delivery.contact, channel=Channel(delivery.channel), step=delivery.plan_step
    )
