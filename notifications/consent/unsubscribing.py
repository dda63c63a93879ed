"""Having fewer mails, by the link in one of them: no more of its category, or none at all; and taking that back.

The link names a delivery, and that says who and what. Each of these may be done any number of times, at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.db import models, transaction
from django.utils import timezone

from integrations.models import Delivery
from notifications import links
from notifications.consent import address_marks, wishes
from notifications.models import TraceEntry
from notifications.trace import recording
from notifications.wording import DEFAULT_LANGUAGE
from wedsync.live.event_types.catalogue import CATALOGUE, Category
from wedsync.weddings.addresses import in_one_form
from wedsync.weddings.models import Address, Contact, ContactChannel

SOURCE = "mail's link"


class Unknown(ValueError):
    """The link is one of ours, but its mail is not kept any more."""


@dataclass(frozen=True)
class Holder:
    """Whom a link belongs to. ``contact``: nobody where the person is gone, or is reached elsewhere by now."""

    delivery: Delivery
    contact: Contact | None
    category: Category
    wants_category: bool
    opted_out: bool

    @property
    def language(self) -> str:
        """Of the page."""
        return self.contact.locale.split("-")[0].lower() if self.contact else DEFAULT_LANGUAGE


def holder(token: str) -> Holder:
    """Whom the link belongs to, and what they want by now.

    Raises:
        BadLink: not one of ours, or damaged.
        Unknown: its mail is not kept any more.
    """
    delivery_id = links.read_unsubscribe_token(token)
    found = (
        Delivery.objects.select_related("contact", "event").filter(id=delivery_id, channel=ContactChannel.EMAIL).first()
    )
    if found is None:
        raise Unknown("this mail is not kept any more")
    contact, category = found.contact, CATALOGUE[found.event.type].category
    elsewhere = contact is None or in_one_form(ContactChannel.EMAIL, contact.email) != found.target
    if elsewhere or category == Category.OPERATIONS:  # which has no preferences: it is not told to a wedding's people
        contact = None
    return Holder(
        delivery=found,
        contact=contact,
        category=category,
        wants_category=contact is not None and wishes.wanted(contact.id, category, ContactChannel.EMAIL),
        opted_out=_addresses(found).filter(opted_out_at__isnull=False).exists(),
    )


def leave_category(token: str) -> Holder:
    """No more mails of this one's category; none at all where the address belongs to nobody any more.

    Raises:
        BadLink, Unknown: as :func:`holder`.
    """
    return _do(token, _category_off)


def take_category(token: str) -> Holder:
    """Mails of this one's category again.

    Raises:
        BadLink, Unknown: as :func:`holder`.
    """
    return _do(token, _category_on)


def leave_all(token: str) -> Holder:
    """No mails to this address at all, not even in an emergency.

    Raises:
        BadLink, Unknown: as :func:`holder`.
    """
    return _do(token, _all_off)


def take_all(token: str) -> Holder:
    """Mails to this address again.

    Raises:
        BadLink, Unknown: as :func:`holder`.
    """
    return _do(token, _all_on)


def _do(token: str, act: Callable[[Holder], str]) -> Holder:
    with transaction.atomic():
        found = holder(token)
        if changed := act(found):
            recording.note(found.delivery, TraceEntry.What.STATUS, changed)
    return holder(token)


def _category_off(found: Holder) -> str:
    if found.contact is None:
        return _all_off(found)
    if not found.wants_category:
        return ""
    wishes.change(found.contact, found.category, ContactChannel.EMAIL, wanted=False, source=SOURCE)
    return f"By the mail's link: no more mails about {found.category}."


def _category_on(found: Holder) -> str:
    if found.contact is None or found.wants_category:
        return ""
    wishes.change(found.contact, found.category, ContactChannel.EMAIL, wanted=True, source=SOURCE)
    return f"By the mail's link: mails about {found.category} again."


def _all_off(found: Holder) -> str:
    if found.opted_out:
        return ""
    changed = address_marks.opted_out(*_address(found.delivery), timezone.now(), by=f"the person, by the {SOURCE}")
    return "By the mail's link: no mails to this address at all." if changed else ""


def _all_on(found: Holder) -> str:
    changed = address_marks.came_back(*_address(found.delivery), by=f"the person, by the {SOURCE}")
    return "By the mail's link: mails to this address again." if changed else ""


def _address(delivery: Delivery) -> tuple[UUID, ContactChannel, str]:
    return delivery.organization_id, ContactChannel.EMAIL, delivery.target


def _addresses(delivery: Delivery) -> models.QuerySet[Address]:
    return Address.objects.filter(
        organization_id=delivery.organization_id, channel=ContactChannel.EMAIL, value=delivery.target
    )
