"""What staff decide about an address: an opt-out and its end, the end of a bounce or a complaint, each with a reason.

What providers and the people themselves say is in :mod:`notifications.consent.address_marks`. docs/adr/0070.
"""

from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from notifications.consent.address_marks import record
from wedsync.weddings.models import Address, AddressChange

What = AddressChange.What


class NoReason(ValueError):
    """Staff must say why, since the person has said otherwise, or nothing arrived."""


def opt_out(address: Address, *, by: str, reason: str) -> bool:
    """Nothing more goes to this address; false where it had opted out before.

    Raises:
        NoReason: it is blank.
    """
    return _change(address, What.OPTED_OUT, {"opted_out_at": None}, {"opted_out_at": Now()}, by, reason)


def end_opt_out(address: Address, *, by: str, reason: str) -> bool:
    """The person wants messages again, as staff say; false where it was no opt-out.

    Raises:
        NoReason: it is blank.
    """
    return _change(address, What.OPTED_IN, {"opted_out_at__isnull": False}, {"opted_out_at": None}, by, reason)


def lift_bounce(address: Address, *, by: str, reason: str) -> bool:
    """The address works again, as staff say; false where nothing had bounced.

    Raises:
        NoReason: it is blank.
    """
    ended = {"bounced_at": None, "bounce_reason": ""}
    return _change(address, What.BOUNCE_LIFTED, {"bounced_at__isnull": False}, ended, by, reason)


def lift_complaint(address: Address, *, by: str, reason: str) -> bool:
    """The person has taken a complaint back, as staff say; false where there was none.

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
