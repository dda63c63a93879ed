"""Clients travel between CRMs: each gets what it does not hold, and a vendor's word changes whom it is linked to."""

from __future__ import annotations

import pytest

from integrations.errors import NetworkError, ServerError
from integrations.models import ExternalReference
from integrations.routing import route_event
from tests.factories import ContactFactory, EventFactory, RouteFactory, WeddingFactory
from tests.integrations.conftest import Told, send_now
from tests.integrations.vendors.test_at_the_sandbox import Tell, plans
from wedsync.live.models import ChannelEvent

pytestmark = pytest.mark.django_db


def client_event(there: Told, **payload: str) -> ChannelEvent:
    """Another CRM of the wedding says something of Anna, whom it calls O-1."""
    made: ChannelEvent = EventFactory(
        organization=there.system.organization,
        wedding=there.wedding,
        type="client.updated",
        payload={"client_id": "O-1", **payload},
    )
    return made


def test_a_client_that_another_crm_has_never_seen_is_made_there_whole_and_remembered(told: Tell) -> None:
    there = told("shootq")
    anna = ContactFactory(
        organization=there.system.organization,
        wedding=there.wedding,
        name="Anna",
        email="anna@people.example",
        phone="",
    )

    send_now(there.delivery(client_event(there, email="anna@people.example", phone="+43 660 1234567")))

    (client,) = there.records("client")
    assert (client["name"], client["phone"], client["job_id"]) == ("Anna", "+43 660 1234567", "BK-7")
    reference = ExternalReference.objects.get(system=there.system, kind="client")
    assert (reference.external_id, reference.contact) == (client["id"], anna)
    assert reference.known["phone"] == "+436601234567"


def test_a_client_whom_another_crm_has_already_is_found_by_address_and_gets_only_what_it_does_not_hold(
    told: Tell,
) -> None:
    there = told("studio_cloud")
    ContactFactory(organization=there.system.organization, wedding=there.wedding, email="anna@people.example")
    there.put("client", {"id": "C-9", "name": "Anna", "email": "Anna@people.example"})

    send_now(there.delivery(client_event(there, name="Anna", email="anna@people.example", phone="+436601234567")))

    (message,) = there.peer.messages("studio_cloud")
    assert (message["view"]["method"], message["to"]) == ("PUT", "/clients/C-9")
    assert set(message["body"]) == {"id", "type", "occurred_at", "sequence", "phone"}
    reference = ExternalReference.objects.get(system=there.system, kind="client")
    assert (reference.external_id, reference.known["phone"]) == ("C-9", "+436601234567")
    route = RouteFactory(organization=there.system.organization, system=there.system)
    again = client_event(there, email="anna@people.example", phone="+436601234567")
    assert plans(route, again) == []  # the CRM holds all of it


def test_when_the_crm_can_not_be_asked_nothing_is_made_there(told: Tell) -> None:
    there = told("studio_cloud")
    ContactFactory(organization=there.system.organization, wedding=there.wedding, email="anna@people.example")
    delivery = there.delivery(client_event(there, email="anna@people.example"))

    there.peer.fault("studio_cloud", "status", status=503, path="/studio_cloud/clients")
    with pytest.raises(ServerError):
        send_now(delivery)
    there.peer.fault("studio_cloud", "silent_close", path="/studio_cloud/clients")
    with pytest.raises(NetworkError):
        send_now(delivery)
    assert there.records("client") == []


def test_a_vendors_word_changes_the_contact_it_is_linked_to_where_it_is_newer(told: Tell) -> None:
    there = told("iris_works")
    anna = ContactFactory(organization=there.system.organization, wedding=there.wedding, name="Anna", phone="")
    there.knows(anna, "O-1")
    said = {"source_system_id": there.system.id, "effect": "pending", "routing": "pending"}

    def effect(**payload: str) -> str:
        event = client_event(there, **payload)
        ChannelEvent.objects.filter(id=event.id).update(**said)
        route_event.route(event.id)
        event.refresh_from_db()
        anna.refresh_from_db()
        return event.effect

    assert effect(phone="0043 660 1234567") == "none"  # no number with a country code
    assert effect(phone="+43 660 1234567", email="not an address") == "applied"
    assert anna.phone == "+436601234567"
    assert effect(phone="+436601234567") == "unchanged"
    assert anna.email != "not an address"


def test_nobodys_client_and_another_organizations_are_left_alone(told: Tell) -> None:
    there, other = told("iris_works"), told("iris_works", wedding=WeddingFactory())
    theirs = ContactFactory(organization=other.system.organization, wedding=other.wedding, email="anna@people.example")
    route = RouteFactory(organization=there.system.organization, system=there.system)

    assert plans(route, client_event(there, email="anna@people.example")) == []
    theirs.refresh_from_db()
    assert theirs.email == "anna@people.example"
