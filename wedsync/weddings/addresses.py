"""One form for each address, so that consent and blocks are found whatever way somebody wrote it."""

import phonenumbers

from wedsync.weddings.models import Channel


def normalize(channel: Channel, value: str) -> str:
    """E.164 for WhatsApp, lower case for mail, unchanged for Slack.

    Raises:
        ValueError: not a phone number with a country code.
    """
    if channel == Channel.WHATSAPP:
        try:
            number = phonenumbers.parse(value, None)
        except phonenumbers.NumberParseException as error:
            raise ValueError("Write the number with its country code, for instance +436601234567.") from error
        if not phonenumbers.is_possible_number(number):
            raise ValueError("This number is too short or too long for its country.")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return value.strip().lower() if channel == Channel.EMAIL else value


def in_one_form(channel: Channel, value: str) -> str:
    """The same, where a value that is no address of the channel stays as it is."""
    try:
        return normalize(channel, value) if value else ""
    except ValueError:
        return value
