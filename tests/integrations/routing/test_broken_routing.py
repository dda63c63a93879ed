"""Routing that fails: a route, an event, or the database, and what goes on all the same."""

from typing import Any

import pytest
from django.db import OperationalError, connection

from integrations.models import Alert, Route
from integrations.routing import route_event
from tests.factories import AddressFactory, ContactFactory, RouteFactory
from tests.integrations.routing.routed_events import people_route, stored
from wedsync.live.models import ChannelEvent

pytestmark = pytest.mark.django_db


def test_a_broken_route_keeps_no_other_from_an_emergency(wedding: Any) -> None:
    people_route(wedding)
    person = ContactFactory(organization=wedding.organization, wedding=wedding, role="couple")
    AddressFactory(organization=wedding.organization, value=person.phone)
    RouteFactory(
        organization=wedding.organization,
        channel_pattern="couple:dashboard:{wedding}",
        target=Route.Target.LIVE,
        system=None,
        live_channel="no channel name at all",
    )
    event = stored(wedding, "venue.emergency_reported", {"kind": "x", "description": "y", "reported_by": "z"})

    assert route_event.route(event.id) == 1


def test_an_event_whose_routing_breaks_again_and_again_is_set_aside(wedding: Any) -> None:
    event = stored(wedding)

    for _ in range(route_event.MOST_FAILURES):
        route_event.give_up(event.id)

    event.refresh_from_db()
    assert event.routing == ChannelEvent.Routing.FAILED
    assert not Alert.objects.exists()


def test_staff_are_alerted_of_an_emergency_that_is_set_aside(wedding: Any) -> None:
    event = stored(wedding, "venue.emergency_reported", {"kind": "power_outage", "description": "y"})

    for _ in range(route_event.MOST_FAILURES + 2):
        route_event.give_up(event.id)

    alert = Alert.objects.get()
    assert (alert.cause, alert.about, alert.count) == ("nobody_reached", str(event.id), 1)
    assert "power outage" in alert.text


def test_a_database_that_fails_while_routes_are_expanded_loses_no_delivery(wedding: Any) -> None:
    people_route(wedding)
    person = ContactFactory(organization=wedding.organization, wedding=wedding, role="couple")
    AddressFactory(organization=wedding.organization, value=person.phone)
    event = stored(wedding)

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "weddings_contact" in sql:
            raise OperationalError("canceling statement")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse), pytest.raises(OperationalError):
        route_event.route(event.id)

    assert route_event.route(event.id) == 1
