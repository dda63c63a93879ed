"""The one form of an address in which it is compared, and what weddings must know of a channel's addresses. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email


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


@dataclass(frozen=True)
class AddressKind:
    """What weddings must know of a channel's addresses.

    Arguments:
        field: the field of a contact that holds one; empty: the channel reaches no single person.
        normalize: the one form of an address. Raises ``ValueError`` with a sentence for people where it is none.
        tidy: the form in which a text that is no address is kept and compared.
        several: whether one person may have several, such as phones; else the first contact's that has one counts.
    """

    field: str = ""
    normalize: Callable[[str], str] = str
    tidy: Callable[[str], str] = str
    several: bool = False


PHONE = AddressKind("phone", phone, several=True)
MAILBOX = AddressKind("email", email, lambda text: text.strip().lower())
NO_PERSON = AddressKind()
