"""Staff's decisions about an address: to opt it out or back in, to lift a bounce or a complaint, each with a reason.

What providers and people say is in :mod:`notifications.consent.address_marks`. docs/adr/0070.
"""

from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from notifications.consent.address_marks import record
from wedsync.weddings.models import Address, AddressChange

What = AddressChange.What


class NoReason(ValueError):
    """Staff must say why, since they contradict the person or the provider."""


def opt_out(address: Address, *, by: str, reason: str) -> bool:
    """Send nothing more to this address; false where it had opted out before.

    Raises:
        NoReason: it is blank.
    """
    return _change(address, What.OPTED_OUT, {"opted_out_at": None}, {"opted_out_at": Now()}, by, reason)


def end_opt_out(address: Address, *, by: str, reason: str) -> bool:
    """End an opt-out: staff say that the person wants messages again; false where there was none.

    Raises:
        NoReason: it is blank.
    """
    return _change(address, What.OPTED_IN, {"opted_out_at__isnull": False}, {"opted_out_at": None}, by, reason)


def lift_bounce(address: Address, *, by: str, reason: str) -> bool:
    """Lift a bounce: staff say that the address works again; false where there was none.

    Raises:
        NoReason: it is blank.
    """
    ended = {"bounced_at": None, "bounce_reason": ""}
    return _change(address, What.BOUNCE_LIFTED, {"bounced_at__isnull": False}, ended, by, reason)


def lift_complaint(address: Address, *, by: str, reason: str) -> bool:
    """Lift a complaint: staff say that the person took it back; false where there was none.

    Raises:
        NoReason: it is blank.
    """
    return _change(
        address, What.COMPLAINT_LIFTED, {"complained_at__isnull": False}, {"complained_at": None}, by, reason
    )


def _change(
    address: Address, what: AddressChange.What, where: dict[str, Any], to: dict[str, Any], by: str, reason: str
) -> bool:
    if not reason.strip():
        raise NoReason("Say why.")
    rows = Address.objects.filter(id=address.id, organization_id=address.organization_id)
    with transaction.atomic():
        if not rows.filter(**where).update(**to):
            return False
        record(rows, what, by, reason.strip())
    address.refresh_from_db()
    return True
