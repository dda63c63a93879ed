"""Ends devices. A device's address goes with it, unless another device has it or its owner's refusal must be kept."""

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from wedsync.weddings.models import Address, Device


@transaction.atomic
def end(ended: QuerySet[Device]) -> int:
    """Remove devices, with what they need to be reached; returns how many there were."""
    rows = list(ended.values_list("id", "organization_id", "channel", "value"))
    if not rows:
        return 0
    ids, organizations, channels, values = zip(*rows, strict=True)
    Device.objects.filter(id__in=ids).delete()
    of = {"organization_id": OuterRef("organization_id"), "channel": OuterRef("channel"), "value": OuterRef("value")}
    left = Address.objects.filter(organization_id__in=organizations, channel__in=channels, value__in=values)
    free = left.filter(opted_out_at=None, complained_at=None).exclude(Exists(Device.objects.filter(**of)))
    free.delete()
    return len(rows)
