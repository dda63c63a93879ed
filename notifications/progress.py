"""How far a notification's plan has come, and its next step: judged from the rows, as often as anybody asks."""

from uuid import UUID

from integrations.models import Delivery
from notifications.models import Sending


def look_at_delivery(delivery: Delivery) -> None:
    """Something has become of a delivery: go on with what it carries."""
    found = Sending.objects.filter(delivery_id=delivery.id).values_list("notification_id", flat=True).first()
    if found:
        look(found)


def look(notification_id: UUID) -> None:
    """Judge a notification and take its plan's next step where it is time to. Any number may call it at once."""
