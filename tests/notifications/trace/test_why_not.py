"""Why not WhatsApp? What was known when an event was routed is answered as well as what came later."""

from typing import Any

import pytest
from django.utils import timezone

from integrations.routing.route_event import route
from notifications.models import Notification
from notifications.trace import answers
from tests.factories import AddressFactory, ContactFactory, RouteFactory, SystemFactory, WeddingFactory
from tests.notifications.stored import stored
from wedsync.weddings.models import Address, Wedding

pytestmark = pytest.mark.django_db
PAID = {"amount": 100, "currency": "EUR", "reference": "R1"}


@pytest.fixture
def wedding() -> Wedding:
    made: Wedding = WeddingFactory()
    for kind in ("whatsapp", "email"):
        SystemFactory(organization=made.organization, kind=kind)
    RouteFactory(
        organization=made.organization, channel_pattern="couple:dashboard:{id}", target="people", roles=["couple"]
    )
    return made


def routed(wedding: Wedding, **contact: Any) -> Notification:
    ContactFactory(organization=wedding.organization, wedding=wedding, role="couple", **contact)
    event = stored(wedding, "payment.failed", PAID)
    route(event.id)
    return Notification.objects.get(event=event)


@pytest.mark.parametrize(
    ("marks", "why"),
    [
        ({"opted_out_at": timezone.now()}, "opted out"),
        ({"bounced_at": timezone.now()}, "bounced"),
        ({"complained_at": timezone.now()}, "complained"),
        ({"consented_at": None, "consent_source": ""}, "no consent"),
        (None, "no consent"),
    ],
)
def test_what_was_against_whatsapp_at_routing_is_answered(wedding: Wedding, marks: Any, why: str) -> None:
    phone = "+436601234567"
    if marks is not None:
        AddressFactory(organization=wedding.organization, value=phone, **marks)

    notification = routed(wedding, phone=phone, email="anna@people.example")

    assert answers.not_used(notification) == [("WhatsApp", why)]
    assert f"WhatsApp is not used: {why}" in [line.text for line in answers.timeline(notification)]
    Address.objects.filter(value=phone).update(opted_out_at=None, bounced_at=None, complained_at=None)
    assert answers.not_used(notification) == [("WhatsApp", why)], "it tells what was known then"


def test_a_channel_without_an_address_is_named_too(wedding: Wedding) -> None:
    assert answers.not_used(routed(wedding, phone="", email="anna@people.example")) == [("WhatsApp", "no address")]


def test_where_nothing_was_against_it_nothing_is_said(wedding: Wedding) -> None:
    AddressFactory(organization=wedding.organization, value="+436601234567")

    assert answers.not_used(routed(wedding, phone="+436601234567", email="anna@people.example")) == []


def test_what_skips_a_named_channel_is_answered_as_well(wedding: Wedding) -> None:
    RouteFactory(
        organization=wedding.organization,
        channel_pattern="couple:dashboard:{id}",
        target="people",
        roles=["couple"],
        channels=["whatsapp"],
        name="By WhatsApp",
    )
    AddressFactory(organization=wedding.organization, value="+436601234567", opted_out_at=timezone.now())

    assert answers.not_used(routed(wedding, phone="+436601234567", email="a@people.example")) == [
        ("WhatsApp", "opted out")
    ]
