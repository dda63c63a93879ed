"""Addresses in one form each."""

import pytest

from tests.factories import AddressFactory
from wedsync.weddings.addresses import normalize
from wedsync.weddings.models import Address, ContactChannel


@pytest.mark.parametrize("text", ["+43 660 123 45 67", "+43(660)1234567", "+436601234567"])
def test_one_phone_has_one_form(text: str) -> None:
    assert normalize(ContactChannel.WHATSAPP, text) == "+436601234567"


@pytest.mark.parametrize("text", ["0660 1234567", "hello", "+1"])
def test_a_number_without_its_country_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        normalize(ContactChannel.WHATSAPP, text)


def test_mail_addresses_are_compared_in_lower_case() -> None:
    assert normalize(ContactChannel.EMAIL, " Anna@People.Example ") == "anna@people.example"


def test_whatsapp_needs_consent_and_mail_does_not() -> None:
    assert Address(channel=ContactChannel.WHATSAPP).blocked_because == "no_consent"
    assert Address(channel=ContactChannel.EMAIL).blocked_because == ""
    assert AddressFactory.build(organization=None).blocked_because == ""
