"""One form for each address, so that consent and blocks are found whatever way somebody wrote it."""

import re

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models

_TWO_FORMS = (
    (re.compile(r"\+55([0-9]{2})9([0-9]{8})"), r"+55\1\2"),  # Brazil's ninth digit
    (re.compile(r"\+55([0-9]{2})([6-9][0-9]{7})"), r"+55\g<1>9\2"),
    (re.compile(r"\+521([0-9]{10})"), r"+52\1"),  # Mexico's 1 of mobile phones, given up in 2019
    (re.compile(r"\+52([0-9]{10})"), r"+521\1"),
    (re.compile(r"\+549([0-9]{10})"), r"+54\1"),  # Argentina's 9 of mobile phones
    (re.compile(r"\+54([0-9]{10})"), r"+549\1"),
)


class ContactChannel(models.TextChoices):
    """How a person is reached."""

    WHATSAPP = "whatsapp", "WhatsApp"
    SLACK = "slack", "Slack"
    EMAIL = "email", "Email"


def normalize(channel: ContactChannel, value: str) -> str:
    """E.164 for WhatsApp, lower case for email, unchanged for Slack.

    Raises:
        ValueError: not a phone number with a country code, or not an email address; a sentence for people.
    """
    if channel == ContactChannel.WHATSAPP:
        return _phone(value)
    return _email(value) if channel == ContactChannel.EMAIL else value


def in_one_form(channel: ContactChannel, value: str) -> str:
    """The same, where a value that is no address of the channel stays as it is."""
    try:
        return normalize(channel, value) if value else ""
    except ValueError:
        return value.strip().lower() if channel == ContactChannel.EMAIL else value


def other_forms(phone: str) -> tuple[str, ...]:
    """The other way in which the same phone is written, in countries where there are two: providers may use either.

    ``phone``: with its plus. Empty where there is one form only, and where it is no phone.
    """
    return tuple(form.sub(other, phone) for form, other in _TWO_FORMS if form.fullmatch(phone))


def _phone(value: str) -> str:
    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException as error:
        raise ValueError("Write the number with its country code, for instance +436601234567.") from error
    if number.extension:
        raise ValueError("A number with an extension cannot be reached. Write a direct number.")
    if not phonenumbers.is_possible_number(number):
        raise ValueError("This number is too short or too long for its country.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _email(value: str) -> str:
    """The whole in lower case: mailboxes that tell the case apart are not met with, opt-outs typed in capitals are."""
    found = value.strip().lower()
    try:
        validate_email(found)
    except ValidationError as error:
        raise ValueError("Write an email address, for instance anna@people.example.") from error
    return found
