"""What leaves us arrives: each vendor takes its calls, the signatures verify, and what it answers is remembered."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import standardwebhooks

from integrations.errors import CredentialsRefused
from integrations.models import Delivery, ExternalReference, Route
from integrations.registry.targets import PlannedDelivery
from integrations.system_channel.sender import SystemSender, expand
from integrations.systems import signing_secrets
from integrations.vendors import VENDORS
from tests.factories import (
    ChannelFactory,
    ContactFactory,
    EntryFactory,
    EventFactory,
    ReasonFactory,
    RouteFactory,
)
from tests.integrations.conftest import NAMED, NEW, OLD, TOKEN, Told, send_now
from tests.integrations.vendors import samples
from tests.sandbox.sandbox_peer import Peer
from wedsync.live.event_types.catalogue import CATALOGUE
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority

Tell = Callable[..., Told]
pytestmark = pytest.mark.django_db
every_vendor = pytest.mark.parametrize("slug", VENDORS)


def event_of(told: Told, event_type: str, **rest: Any) -> ChannelEvent:
    made: ChannelEvent = EventFactory(
        organization=told.system.organization,
        wedding=told.wedding,
        type=event_type,
        payload=samples.PAYLOADS[event_type],
        **rest,
    )
    return made


@every_vendor
def test_every_call_to_a_vendor_is_taken_there_and_verifies_with_the_package(slug: str, told: Tell) -> None:
    there = told(slug)
    ContactFactory(organization=there.system.organization, wedding=there.wedding, email="anna@people.example")
    sent = []
    for event_type in CATALOGUE:
        event = event_of(there, event_type)
        route = RouteFactory(organization=there.system.organization, system=there.system, event_types=[event_type])
        for _ in plans(route, event):
            delivery = there.delivery(event)
            send_now(delivery)
            sent.append(delivery)

    arrived = {message["headers"]["idempotency-key"]: message for message in there.peer.messages(slug)}
    assert set(arrived) == {str(delivery.id) for delivery in sent}
    assert len(sent) >= 8
    for delivery in sent:
        assert delivery.request
        message, raw = arrived[str(delivery.id)], delivery.request["body"]
        assert standardwebhooks.Webhook(OLD).verify(raw, message["headers"]) == message["body"]
        assert message["headers"]["webhook-id"] == str(delivery.id)
        assert message["body"]["occurred_at"] == delivery.event.occurred_at.isoformat()


def plans(route: Route, event: ChannelEvent) -> list[PlannedDelivery]:
    return list(expand(route, event, Priority(event.priority)))


def headers_of(delivery: Delivery) -> dict[str, str]:
    sender = SystemSender()
    return sender.prepare(delivery, sender.render(delivery)).headers


@every_vendor
def test_while_a_secret_rotates_the_holder_of_either_takes_our_calls(slug: str, told: Tell) -> None:
    there = told(slug)
    fresh = signing_secrets.rotate_signing_secret(there.system)
    there.system.refresh_from_db()
    delivery = there.delivery(event_of(there, "booking.updated"))

    assert send_now(delivery).status == 200  # the vendor still checks with the old one

    (message,) = there.peer.messages(slug)
    assert delivery.request
    raw, headers = delivery.request["body"], message["headers"]
    assert len(headers["webhook-signature"].split(" ")) == 2
    standardwebhooks.Webhook(OLD).verify(raw, headers)
    standardwebhooks.Webhook(fresh).verify(raw, headers)
    newest = headers | {"webhook-signature": headers["webhook-signature"].split(" ")[0]}
    standardwebhooks.Webhook(fresh).verify(raw, newest)

    assert signing_secrets.end_previous_secret(there.system)
    assert not signing_secrets.end_previous_secret(there.system)
    there.system.refresh_from_db()
    assert len(headers_of(there.delivery(event_of(there, "booking.updated")))["webhook-signature"].split(" ")) == 1
    with pytest.raises(CredentialsRefused):
        send_now(there.delivery(event_of(there, "booking.updated")))


def test_a_system_without_a_secret_is_called_unsigned_and_gets_one_by_rotation(told: Tell) -> None:
    there = told("webhook", booking=None, path="webhook/anybody", credentials={"signing_secret": ""})

    assert "webhook-signature" not in headers_of(there.delivery(event_of(there, "gallery.ready")))
    fresh = signing_secrets.rotate_signing_secret(there.system)
    there.system.refresh_from_db()
    assert there.system.credentials["signing_secret"] == fresh
    assert "webhook-signature" in headers_of(there.delivery(event_of(there, "gallery.ready")))


def test_a_signed_webhook_gets_the_event_at_its_own_url_with_its_place_on_the_channel_of_the_route(told: Tell) -> None:
    there = told("webhook", booking=None, path=f"webhook/{NAMED}")
    event = event_of(there, "payment.received")
    for name, sequence in (("couple:dashboard:1", 4), ("supplier:dashboard:9", 7), ("a:b:c", 1)):
        channel = ChannelFactory(organization=event.organization, name=name)
        EntryFactory(channel=channel, event=event, sequence=sequence)
    route = RouteFactory(
        organization=event.organization, system=there.system, channel_pattern="supplier:dashboard:{supplierId}"
    )
    delivery = there.delivery(event)
    ReasonFactory(delivery=delivery, route=route)

    assert send_now(delivery).status == 200

    (message,) = there.peer.messages("webhook")
    assert message["to"] == f"/webhook/{NAMED}"
    assert message["body"] == {
        "id": str(event.id),
        "type": "payment.received",
        "occurred_at": event.occurred_at.isoformat(),
        "sequence": 7,
        "channel": "supplier:dashboard:9",
        "organization": str(event.organization_id),
        "wedding_id": str(there.wedding.id),
        "payload": samples.PAYLOADS["payment.received"],
    }
    assert delivery.request
    standardwebhooks.Webhook(OLD).verify(delivery.request["body"], message["headers"])


def test_the_sandbox_itself_refuses_a_webhook_that_is_not_signed_with_its_secret(told: Tell) -> None:
    there = told("webhook", booking=None, path=f"webhook/{NAMED}", credentials={"signing_secret": NEW})

    with pytest.raises(CredentialsRefused):
        send_now(there.delivery(event_of(there, "gallery.ready")))
    assert there.peer.messages("webhook") == []


@every_vendor
def test_a_booking_that_we_make_is_known_by_the_vendors_id_from_then_on(slug: str, told: Tell) -> None:
    there = told(slug, booking=None)

    send_now(there.delivery(event_of(there, "booking.created")))

    (booking,) = there.records("booking")
    reference = ExternalReference.objects.get(system=there.system)
    assert (reference.external_id, reference.kind, reference.wedding) == (booking["id"], "booking", there.wedding)
    send_now(there.delivery(event_of(there, "booking.cancelled")))
    (booking,) = there.records("booking")
    assert booking["status"] == "cancelled"
    assert len(there.peer.messages(slug)) == 2


def test_a_booking_goes_only_where_a_route_names_its_type(told: Tell) -> None:
    there = told("venue_master")
    event = event_of(there, "booking.cancelled")
    of_all = RouteFactory(organization=event.organization, system=there.system)
    named = RouteFactory(organization=event.organization, system=there.system, event_types=["booking.cancelled"])

    assert plans(of_all, event) == []
    assert len(plans(named, event)) == 1


def test_a_system_hears_nothing_of_its_own_words(told: Tell) -> None:
    there = told("iris_works")
    event = event_of(there, "timeline.updated", source_system_id=there.system.id)
    route = RouteFactory(organization=event.organization, system=there.system)

    assert plans(route, event) == []


def test_no_call_says_more_than_the_bytes_that_were_frozen(told: Tell) -> None:
    there = told("venue_master")
    delivery = there.delivery(event_of(there, "guest_count.changed"))
    send_now(delivery)

    assert TOKEN not in json.dumps(delivery.request)
    assert OLD not in json.dumps(delivery.request)


def test_a_retry_is_taken_once_by_the_vendor_and_counted_twice_by_its_id(told: Tell, vendors: Peer) -> None:
    there = told("party_rental")
    delivery = there.delivery(event_of(there, "venue.setup_scheduled"))
    send_now(delivery)
    send_now(delivery)

    assert len(vendors.messages("party_rental")) == 1
    tally = vendors.get("/_/tally?service=party_rental").json()
    assert (tally["ids"], tally["received"], tally["repeated_ids"], tally["changed_ids"]) == (1, 2, 1, 0)
    assert tally["tally"][str(delivery.id)]["received"] == 2
