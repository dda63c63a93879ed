"""Addresses in one form each."""

import pytest
from django.utils import timezone

from tests.factories import AddressFactory, DeviceFactory
from wedsync.weddings.addresses import normalize
from wedsync.weddings.models import Address, Contact, ContactChannel


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


def test_each_channel_says_what_its_addresses_are() -> None:
    contact = Contact(phone="+436601234567", email="anna@people.example")

    typed = [channel for channel in ContactChannel.personal() if channel.addresses.field]
    assert {channel.value: contact.addresses(channel) for channel in typed} == {
        channel.value: ({"phone": "+436601234567", "email": "anna@people.example"}[channel.addresses.field],)
        for channel in typed
    }
    assert contact.addresses(ContactChannel.SLACK) == ()
    assert Contact().addresses(ContactChannel.EMAIL) == ()
    assert ContactChannel("whatsapp") is ContactChannel.WHATSAPP
    assert ContactChannel.WHATSAPP.needs_consent
    assert not ContactChannel.EMAIL.needs_consent


@pytest.mark.django_db
def test_devices_register_themselves() -> None:
    device = DeviceFactory()
    DeviceFactory(contact=device.contact, value="b" * 64)

    assert device.contact.addresses(ContactChannel.WEB_PUSH) == ("a" * 64, "b" * 64)
    with pytest.raises(ValueError, match="register themselves"):
        normalize(ContactChannel.WEB_PUSH, "https://push.example/secret")


@pytest.mark.parametrize("channel", ContactChannel)
def test_an_address_without_consent_is_blocked_where_its_channel_needs_it(channel: ContactChannel) -> None:
    assert (Address(channel=channel).blocked_because == "no_consent") is channel.needs_consent
    assert Address(channel=channel, consented_at=timezone.now()).blocked_because == ""
