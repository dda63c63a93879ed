"""“Send me a new one”: to an address that we know, not too often, and with the same answer for everybody."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from integrations.models import Delivery
from notifications import link_requests
from notifications.models import Preference
from notifications.recipients import send_checks
from tests.factories import AddressFactory, SystemFactory
from tests.wedsync.couple.visiting import Couple
from wedsync.live.event_types.catalogue import LINK_REQUESTED
from wedsync.live.models import ChannelEvent
from wedsync.weddings import personal_links
from wedsync.weddings.models import Contact, PersonalLink


@pytest.fixture(autouse=True)
def senders(couple: Couple) -> None:
    for kind in ("email", "sms", "whatsapp"):
        SystemFactory(organization=couple.wedding.organization, kind=kind)


def ask(token: str) -> Any:
    return Client().post("/couple/new/", {"token": token})


def change(couple: Couple, **fields: Any) -> None:
    Contact.objects.filter(id=couple.contact.id).update(**fields)


def test_a_new_link_goes_to_the_contacts_own_address(couple: Couple) -> None:
    personal_links.revoke(PersonalLink.objects.all(), "staff")

    ask(couple.token)

    delivery = Delivery.objects.get()
    assert (delivery.channel, delivery.target, delivery.contact) == ("email", couple.contact.email, couple.contact)
    assert delivery.event.type == LINK_REQUESTED
    link = PersonalLink.objects.get(id=delivery.id)
    assert link.requested
    assert Client().get(f"/couple/open/{personal_links.token_of(link.id)}/").status_code == 303


def test_everybody_gets_the_same_answer(couple: Couple) -> None:
    first = ask(couple.token)

    others = [ask(token) for token in (couple.token, "", "x", "A" * 43, personal_links.token_of(couple.wedding.id))]

    assert {(each.status_code, each.content) for each in [first, *others]} == {(200, first.content)}
    assert Delivery.objects.count() == 1


def test_a_calendars_address_sends_no_link(couple: Couple) -> None:
    calendar = personal_links.calendar_of(couple.contact)

    assert not link_requests.request_by(personal_links.token_of(calendar.id))
    assert not Delivery.objects.exists()


def test_someone_who_is_no_longer_of_the_couple_gets_no_link(couple: Couple) -> None:
    change(couple, role=Contact.Role.PHOTOGRAPHER)

    assert not link_requests.request_by(couple.token)
    assert not Delivery.objects.exists()


def test_asking_again_and_again_sends_a_few(couple: Couple) -> None:
    for _ in range(link_requests.MOST_A_DAY + 3):
        ask(couple.token)
        ask(couple.token)
        PersonalLink.objects.update(created_at=timezone.now() - link_requests.PAUSE - timedelta(seconds=1))

    assert Delivery.objects.count() == link_requests.MOST_A_DAY


def test_without_an_email_address_it_is_a_text_message_if_they_consented(couple: Couple) -> None:
    change(couple, email="")
    assert not link_requests.request_by(couple.token)

    couple.contact.refresh_from_db()
    AddressFactory(organization=couple.wedding.organization, channel="sms", value=couple.contact.phone)
    assert link_requests.request_by(couple.token)

    assert Delivery.objects.get().channel == "sms"


def test_an_address_that_is_blocked_gets_nothing(couple: Couple) -> None:
    AddressFactory(
        organization=couple.wedding.organization,
        channel="email",
        value=couple.contact.email,
        opted_out_at=timezone.now(),
    )

    assert not link_requests.request_by(couple.token)
    assert not ChannelEvent.objects.exists()


def test_what_they_asked_for_comes_in_quiet_hours_and_whatever_they_want_otherwise(couple: Couple) -> None:
    change(couple, quiet_from=time(0), quiet_until=time(23, 59))
    Preference.objects.create(contact=couple.contact, category="journey", channel="email", wanted=False)

    link_requests.request_by(couple.token)

    delivery = Delivery.objects.select_related("contact", "event").get()
    assert delivery.state == "pending"
    assert send_checks.blocked(delivery) is None


def test_a_page_whose_link_was_revoked_can_ask_for_a_new_one(couple: Couple) -> None:
    couple.open()
    personal_links.revoke(PersonalLink.objects.all(), "staff")

    closed = couple.page()

    assert f'value="{couple.token}"' in closed.content.decode()


def test_it_appears_on_no_live_channel_and_nobody_outside_may_send_it(couple: Couple) -> None:
    link_requests.request_by(couple.token)

    event = ChannelEvent.objects.get()
    assert not event.entries.exists()
