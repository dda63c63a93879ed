"""The link in messages: whom it is for, on which channels, the same in each try, and in no stored row."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from integrations.models import Delivery
from notifications import links
from notifications.channels.registry import CHANNELS
from notifications.channels.sms import segments
from notifications.models import Message
from tests.factories import AddressFactory, ContactFactory, DeliveryFactory, EventFactory, SystemFactory
from tests.wedsync.couple.visiting import Couple
from wedsync.weddings import personal_links
from wedsync.weddings.models import Contact, PersonalLink

CREDENTIALS = {"email": {"api_key": "re_test", "from": "WedSync <hello@wedsync.example>"}}


def delivery_to(contact: Contact, channel: str, payload: dict[str, Any] | None = None) -> Delivery:
    organization = contact.organization
    system = SystemFactory(organization=organization, kind=channel, credentials=CREDENTIALS.get(channel, {}))
    event = EventFactory(
        organization=organization,
        wedding=contact.wedding,
        type="venue.capacity_updated",
        payload=payload or {"capacity": 180, "previous": 150},
    )
    target = contact.email if channel == "email" else contact.phone
    made: Delivery = DeliveryFactory(
        organization=organization, event=event, system=system, contact=contact, channel=channel, target=target
    )
    return made


def body_of(delivery: Delivery) -> str:
    """What is sent, with its own links."""
    return links.fill(CHANNELS[delivery.channel].render(delivery).body, delivery)


def url_of(delivery: Delivery) -> str:
    return f"{settings.PUBLIC_URL}/couple/open/{personal_links.token_of(delivery.id)}/"


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_the_couple_get_a_link_of_their_own(couple: Couple, channel: str) -> None:
    delivery = delivery_to(couple.contact, channel)

    first, again = body_of(delivery), body_of(delivery)

    assert url_of(delivery) in first
    assert first == again
    link = PersonalLink.objects.get(id=delivery.id)
    assert (link.contact, link.wedding) == (couple.contact, couple.wedding)
    assert couple.browser.get(url_of(delivery).removeprefix(settings.PUBLIC_URL)).status_code == 303


def test_whatsapps_free_text_has_it_and_its_templates_do_not(couple: Couple) -> None:
    delivery = delivery_to(couple.contact, "whatsapp")
    address = AddressFactory(organization=couple.wedding.organization, value=couple.contact.phone)

    assert json.loads(body_of(delivery))["type"] == "template"
    assert "/couple/" not in body_of(delivery)

    address.last_inbound_at = timezone.now()
    address.save()
    assert json.loads(body_of(delivery))["text"]["body"].endswith(url_of(delivery))


def test_no_stored_row_has_the_link(couple: Couple) -> None:
    delivery = delivery_to(couple.contact, "email")

    body = CHANNELS["email"].render(delivery).body

    message = Message.objects.get(delivery=delivery)
    token = personal_links.token_of(delivery.id)
    assert all(token not in text for text in (body, message.text, message.html))


@pytest.mark.parametrize("channel", ["email", "sms"])
@pytest.mark.parametrize("role", [role for role in Contact.Role if role != Contact.Role.COUPLE])
def test_nobody_else_gets_one(couple: Couple, role: str, channel: str) -> None:
    other = ContactFactory(organization=couple.wedding.organization, wedding=couple.wedding, role=role)

    assert "/couple/" not in body_of(delivery_to(other, channel))


def test_a_couple_that_hears_of_another_wedding_gets_none_for_it(couple: Couple) -> None:
    delivery = delivery_to(couple.contact, "email")
    delivery.event = EventFactory(organization=couple.wedding.organization)

    assert "/couple/" not in body_of(delivery)


def test_a_preview_makes_no_link(couple: Couple) -> None:
    before = PersonalLink.objects.count()

    CHANNELS["email"].preview(delivery_to(couple.contact, "email"))

    assert PersonalLink.objects.count() == before


def test_a_long_text_message_says_what_happened_instead_of_the_link(couple: Couple) -> None:
    delivery = delivery_to(couple.contact, "sms", {"capacity": 180, "reason": "The gallery is closed. " * 16})

    text = json.loads(body_of(delivery))["Body"]

    assert "/couple/" not in text
    assert "The gallery is closed." in text
    assert segments.count(text) <= segments.MOST
