"""Confirms messages whose answer was lost: a status with our own id says that the provider accepted one."""

from django.db.models.fields.json import KeyTextTransform

from integrations.models import Delivery
from webhooks.models import OUR_ID, ProviderNotice


def provider_id_of(delivery: Delivery) -> str | None:
    """The provider's id for a delivery, from its first status; ``None``: none has arrived."""
    statuses = ProviderNotice.objects.annotate(our_id=KeyTextTransform(OUR_ID, "data")).filter(
        kind=ProviderNotice.Kind.STATUS,
        our_id=str(delivery.id),
        organization_id=delivery.organization_id,
        connection__system_id=delivery.system_id,
    )
    return statuses.order_by("id").values_list("provider_id", flat=True).first()
