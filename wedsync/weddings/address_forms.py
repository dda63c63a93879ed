"""The one form of an address in which it is compared, and what weddings must know of a channel's addresses. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

_SHA256 = re.compile(r"[0-9a-f]{64}")


def phone(value: str) -> str:
    """E.164.

    Raises:
        ValueError: not a phone number with a country code; a sentence for people.
    """
    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException as error:
        raise ValueError("Write the number with its country code, for instance +436601234567.") from error
    if number.extension:
        raise ValueError("A number with an extension cannot be reached. Write a direct number.")
    if not phonenumbers.is_possible_number(number):
        raise ValueError("This number is too short or too long for its country.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def email(value: str) -> str:
    """The whole in lower case: mailboxes that tell the case apart are not met with, opt-outs typed in capitals are.

    Raises:
        ValueError: not an email address; a sentence for people.
    """
    found = value.strip().lower()
    try:
        validate_email(found)
    except ValidationError as error:
        raise ValueError("Write an email address, for instance anna@people.example.") from error
    return found


def device(value: str) -> str:
    """The SHA-256 of where a device is reached, which itself is a secret.

    Raises:
        ValueError: not a SHA-256; a sentence for people.
    """
    if not _SHA256.fullmatch(value):
        raise ValueError("Devices register themselves; their addresses cannot be typed in.")
    return value


@dataclass(frozen=True)
class AddressKind:
    """What weddings must know of a channel's addresses.

    Arguments:
        field: the field of a contact that holds one; empty: there is none.
        normalize: the one form of an address. Raises ``ValueError`` with a sentence for people where it is none.
        tidy: the form in which a text that is no address is kept and compared.
        several: whether one person may have several, such as phones; else the first contact's that has one counts.
        registered: whether a contact's own devices register them, any number, each stored in its own row.
    """

    field: str = ""
    normalize: Callable[[str], str] = str
    tidy: Callable[[str], str] = str
    several: bool = False
    registered: bool = False

    @property
    def personal(self) -> bool:
        """Whether they belong to single people."""
        return bool(self.field) or self.registered


PHONE = AddressKind("phone", phone, several=True)
MAILBOX = AddressKind("email", email, lambda text: text.strip().lower())
DEVICE = AddressKind(normalize=device, several=True, registered=True)
NO_PERSON = AddressKind()
