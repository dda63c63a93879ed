"""Whom to call in an emergency: the wedding's people in their call order, with phone numbers."""

from dataclasses import dataclass

from integrations.models import Delivery
from wedsync.weddings import address_forms
from wedsync.weddings.models import Contact

MOST = 3


@dataclass(frozen=True)
class Number:
    """A person to call. ``phone``: E.164, as a ``tel:`` link needs it."""

    name: str
    phone: str


def numbers(delivery: Delivery) -> tuple[Number, ...]:
    """The reporter, if their number is given, then at most three of the wedding's people, except the recipient."""
    event = delivery.event
    payload = event.payload
    reporter = _number(str(payload.get("reported_by") or ""), str(payload.get("contact_phone") or ""))
    of_wedding = Contact.objects.filter(organization_id=delivery.organization_id, wedding=event.wedding)
    people = (
        of_wedding.exclude(id__in=[delivery.contact_id] if delivery.contact_id else [])
        .filter(call_order__isnull=False)
        .exclude(phone="")
        .order_by("call_order", "id")[:MOST]
    )
    found = [reporter, *(_number(contact.name, contact.phone) for contact in people)]
    return tuple({each.phone: each for each in reversed(found) if each}.values())[::-1]


def _number(name: str, phone: str) -> Number | None:
    try:
        return Number(" ".join(name.split())[:100], address_forms.phone(phone)) if phone else None
    except ValueError:
        return None
