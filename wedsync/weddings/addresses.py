"""The channels to people, and one form for each address, so that consent and blocks are found however it is written."""

import re
from enum import Enum
from typing import Self

from django.db import models

from wedsync.weddings.address_forms import DEVICE, MAILBOX, NO_PERSON, PHONE, AddressKind

_TWO_FORMS = (
    (re.compile(r"\+55([0-9]{2})9([0-9]{8})"), r"+55\1\2"),  # Brazil's ninth digit
    (re.compile(r"\+55([0-9]{2})([6-9][0-9]{7})"), r"+55\g<1>9\2"),
    (re.compile(r"\+521([0-9]{10})"), r"+52\1"),  # Mexico's 1 for mobile phones, dropped in 2019
    (re.compile(r"\+52([0-9]{10})"), r"+521\1"),
    (re.compile(r"\+549([0-9]{10})"), r"+54\1"),  # Argentina's 9 for mobile phones
    (re.compile(r"\+54([0-9]{10})"), r"+549\1"),
)


class Evidence(Enum):
    """What shows that a message has arrived on a channel."""

    STATUSES = "statuses"  # its provider reports what becomes of a message
    ACCEPTANCE = "acceptance"  # its provider reports nothing more: what it has accepted has arrived
    NONE = "none"  # what was accepted may still be lost unnoticed, so the channel never replaces another


class ContactChannel(models.TextChoices):
    """How a person is reached: the stored word, its addresses, their need of consent, its evidence, and its name."""

    WHATSAPP = "whatsapp", PHONE, True, Evidence.STATUSES, "WhatsApp"
    SLACK = "slack", NO_PERSON, False, Evidence.ACCEPTANCE, "Slack"
    EMAIL = "email", MAILBOX, False, Evidence.STATUSES, "Email"
    SMS = "sms", PHONE, True, Evidence.STATUSES, "SMS"
    WEB_PUSH = "web_push", DEVICE, False, Evidence.NONE, "Web Push"

    addresses: AddressKind
    needs_consent: bool
    evidence: Evidence

    def __new__(
        cls,
        value: str,
        addresses: AddressKind = NO_PERSON,
        needs_consent: bool = False,  # noqa: FBT001, FBT002
        evidence: Evidence = Evidence.STATUSES,
    ) -> Self:
        """A member that carries what weddings and plans must know of it."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.addresses = addresses
        member.needs_consent = needs_consent
        member.evidence = evidence
        return member

    @classmethod
    def personal(cls) -> tuple[Self, ...]:
        """Those that reach single people."""
        return tuple(channel for channel in cls if channel.addresses.personal)

    @classmethod
    def unproven(cls) -> frozenset[Self]:
        """Those on which nothing shows that a message has arrived: used beside others, never instead of one."""
        return frozenset(channel for channel in cls if channel.evidence == Evidence.NONE)


def normalize(channel: ContactChannel, value: str) -> str:
    """The one form of an address of a channel.

    Raises:
        ValueError: it is no address of the channel; a sentence for people.
    """
    return channel.addresses.normalize(value)


def in_one_form(channel: ContactChannel, value: str) -> str:
    """Like :func:`normalize`, but a value that is not an address of the channel stays as it is."""
    try:
        return normalize(channel, value) if value else ""
    except ValueError:
        return channel.addresses.tidy(value)


def other_forms(phone: str) -> tuple[str, ...]:
    """The other form of a phone number, in countries where there are two and providers may use either.

    ``phone``: with its plus. Empty where there is only one form, or where it is not a phone number.
    """
    return tuple(form.sub(other, phone) for form, other in _TWO_FORMS if form.fullmatch(phone))
