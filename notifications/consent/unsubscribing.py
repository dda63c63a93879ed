"""Unsubscribing through an email's link, from one category or from all email, and undoing it.

The link names a delivery, which says who and what. Each action may be repeated, also concurrently.
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
from wedsync.live.event_types.catalogue import Category, type_of
from wedsync.weddings.addresses import in_one_form
from wedsync.weddings.models import Address, Contact, ContactChannel

SOURCE = "mail's link"


class Unknown(ValueError):
    """The link is one of ours, but we no longer keep its email."""


@dataclass(frozen=True)
class Holder:
    """Whom a link belongs to. ``contact``: ``None`` where the person is gone or has another address by now."""

    delivery: Delivery
    contact: Contact | None
    category: Category
    wants_category: bool
    opted_out: bool

    @property
    def language(self) -> str:
        """The page's language."""
        return self.contact.locale.split("-")[0].lower() if self.contact else DEFAULT_LANGUAGE


def holder(token: str) -> Holder:
    """Whom the link belongs to, and what they currently want.

    Raises:
        BadLink: not one of ours, or damaged.
        Unknown: its email is no longer kept.
    """
    delivery_id = links.read_unsubscribe_token(token)
    found = (
        Delivery.objects.select_related("contact", "event").filter(id=delivery_id, channel=ContactChannel.EMAIL).first()
    )
    if found is None:
        raise Unknown("this email is no longer kept")
    contact, category = found.contact, type_of(found.event.type).category
    elsewhere = contact is None or in_one_form(ContactChannel.EMAIL, contact.email) != found.target
    if elsewhere or category == Category.OPERATIONS:  # has no preferences: a wedding's people never get it
        contact = None
    return Holder(
        delivery=found,
        contact=contact,
        category=category,
        wants_category=contact is not None and wishes.wanted(contact.id, category, ContactChannel.EMAIL),
        opted_out=_addresses(found).filter(opted_out_at__isnull=False).exists(),
    )


def leave_category(token: str) -> Holder:
    """Stop emails of this one's category, or all email where the address no longer belongs to a contact.

    Raises:
        BadLink, Unknown: as :func:`holder`.
    """
    return _do(token, _category_off)


def take_category(token: str) -> Holder:
    """Send emails of this one's category again.

    Raises:
        BadLink, Unknown: as :func:`holder`.
    """
    return _do(token, _category_on)


def leave_all(token: str) -> Holder:
    """Stop all email to this address, even in an emergency.

    Raises:
        BadLink, Unknown: as :func:`holder`.
    """
    return _do(token, _all_off)


def take_all(token: str) -> Holder:
    """Send email to this address again.

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
    return f"By the email's link: no more emails about {found.category}."


def _category_on(found: Holder) -> str:
    if found.contact is None or found.wants_category:
        return ""
    wishes.change(found.contact, found.category, ContactChannel.EMAIL, wanted=True, source=SOURCE)
    return f"By the email's link: emails about {found.category} again."


def _all_off(found: Holder) -> str:
    if found.opted_out:
        return ""
    changed = address_marks.opted_out(*_address(found.delivery), timezone.now(), by=f"the person, by the {SOURCE}")
    return "By the email's link: no more email to this address." if changed else ""


def _all_on(found: Holder) -> str:
    changed = address_marks.came_back(*_address(found.delivery), by=f"the person, by the {SOURCE}")
    return "By the email's link: email to this address again." if changed else ""


def _address(delivery: Delivery) -> tuple[UUID, ContactChannel, str]:
    return delivery.organization_id, ContactChannel.EMAIL, delivery.target


def _addresses(delivery: Delivery) -> models.QuerySet[Address]:
    return Address.objects.filter(
        organization_id=delivery.organization_id, channel=ContactChannel.EMAIL, value=delivery.target
    )
