"""From an event to its deliveries."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from integrations.deliveries.rows import expiry
from integrations.models import Delivery, Route
from integrations.routing import route_event
from tests.factories import (
    AddressFactory,
    ContactFactory,
    EventFactory,
    ExternalReferenceFactory,
    RouteFactory,
    WeddingFactory,
)
from tests.integrations.routing.routed_events import people_route, stored
from wedsync.live.event_types.catalogue import CATALOGUE
from wedsync.live.models import ChannelEntry, ChannelEvent
from wedsync.queues import Priority

pytestmark = pytest.mark.django_db


def test_an_event_is_routed_once_however_often_it_is_asked(wedding: Any) -> None:
    people_route(wedding)
    person = ContactFactory(organization=wedding.organization, wedding=wedding, role="couple")
    AddressFactory(organization=wedding.organization, value=person.phone)
    event = stored(wedding)

    assert [route_event.route(event.id), route_event.route(event.id)] == [1, 0]
    delivery = Delivery.objects.get(event=event)
    assert (delivery.target, delivery.state, delivery.contact_id) == (person.phone, "pending", person.id)
    assert delivery.reasons.count() == 1


def test_one_person_in_two_roles_and_two_routes_gets_one_message(wedding: Any) -> None:
    people_route(wedding, roles=["couple", "vendor"])
    people_route(wedding, roles=["vendor"], name="second")
    for role in ("couple", "vendor"):
        ContactFactory(organization=wedding.organization, wedding=wedding, role=role, phone="+12025550199")
    AddressFactory(organization=wedding.organization, value="+12025550199")
    event = stored(wedding)

    route_event.route(event.id)

    delivery = Delivery.objects.get(event=event)
    assert delivery.reasons.count() == 2


def test_without_consent_the_reason_stands_in_a_skipped_delivery(wedding: Any) -> None:
    people_route(wedding)
    ContactFactory(organization=wedding.organization, wedding=wedding, role="couple")
    event = stored(wedding)

    route_event.route(event.id)

    delivery = Delivery.objects.get(event=event)
    assert (delivery.state, delivery.state_reason) == ("skipped", "no_consent")


def test_quiet_hours_hold_a_delivery_until_they_end(wedding: Any) -> None:
    people_route(wedding)
    person = ContactFactory(
        organization=wedding.organization,
        wedding=wedding,
        role="couple",
        quiet_from=time(0),
        quiet_until=time(23, 59, 59),
        timezone="UTC",
    )
    AddressFactory(organization=wedding.organization, value=person.phone)
    event = stored(wedding)

    route_event.route(event.id)

    delivery = Delivery.objects.get(event=event)
    assert (delivery.state, delivery.state_reason) == ("held", "quiet_hours")
    assert delivery.next_attempt_at.time() == time(23, 59, 59)


def test_nothing_goes_back_to_its_source_unless_the_route_says_echo(wedding: Any) -> None:
    reference = ExternalReferenceFactory(organization=wedding.organization, wedding=wedding)
    channel = f"supplier:dashboard:{reference.system_id}"
    common = {"source_system_id": reference.system_id, "channels": [channel]}
    route = RouteFactory(organization=wedding.organization, system=reference.system)

    silent = stored(wedding, payload={"guest_count": 130}, **common)
    route_event.route(silent.id)
    route.echo = True
    route.save()
    echoed = stored(wedding, payload={"guest_count": 131}, **common)
    route_event.route(echoed.id)

    assert [Delivery.objects.filter(event=event).count() for event in (silent, echoed)] == [0, 1]


def test_a_route_of_another_organization_never_matches(wedding: Any) -> None:
    stranger = WeddingFactory()
    people_route(stranger, roles=["couple"])
    ContactFactory(organization=stranger.organization, wedding=stranger, role="couple")
    event = stored(wedding)

    assert route_event.route(event.id) == 0


def test_a_live_target_shows_the_event_on_another_channel(wedding: Any) -> None:
    RouteFactory(
        organization=wedding.organization,
        channel_pattern="couple:dashboard:{wedding}",
        target=Route.Target.LIVE,
        system=None,
        live_channel="wall:display:{wedding}",
    )
    event = stored(wedding)

    route_event.route(event.id)

    names = set(ChannelEntry.objects.filter(event=event).values_list("channel__name", flat=True))
    assert names == {f"couple:dashboard:{wedding.id}", f"wall:display:{wedding.id}"}


@pytest.mark.parametrize(
    ("event_type", "on_the_day", "priority"),
    [
        ("gallery.ready", False, "low"),
        ("gallery.ready", True, "normal"),
        ("guest_count.changed", True, "high"),
        ("timeline.updated", True, "high"),
        ("venue.emergency_reported", False, "urgent"),
        ("venue.emergency_reported", True, "urgent"),
    ],
)
def test_the_wedding_day_raises_priority_one_step_up_to_high(
    wedding: Any, event_type: str, *, on_the_day: bool, priority: str
) -> None:
    moment = (
        datetime(2030, 6, 19, 15, tzinfo=ZoneInfo("Europe/Vienna")) if on_the_day else datetime(2030, 1, 1, tzinfo=UTC)
    )
    event = EventFactory.build(
        organization=wedding.organization,
        wedding=wedding,
        type=event_type,
        priority=CATALOGUE[event_type].priority,
    )
    assert route_event.delivery_priority(event, moment) == priority


def test_deliveries_to_people_end_after_the_party_and_urgent_ones_after_an_hour(wedding: Any) -> None:
    event = EventFactory.build(organization=wedding.organization, wedding=wedding)
    to_people, to_system = "email", "system"
    party = datetime(2030, 6, 19, 23, 30, tzinfo=ZoneInfo("Europe/Vienna"))
    hour = timedelta(hours=1)

    shortly_before = party - 5 * hour
    assert expiry(event, to_people, Priority.HIGH, shortly_before) == party + 6 * hour
    assert expiry(event, to_people, Priority.URGENT, shortly_before) == shortly_before + hour
    assert expiry(event, to_people, Priority.LOW, party + 9 * hour) == party + 9 * hour + timedelta(days=7)
    assert expiry(event, to_system, Priority.LOW, shortly_before) == shortly_before + timedelta(days=7)


@pytest.mark.parametrize(
    ("payload", "effect"),
    [({"guest_count": 90}, "applied"), ({"guest_count": 110}, "unchanged")],
)
def test_an_inbound_change_is_applied_and_an_equal_one_is_told_to_nobody(
    wedding: Any, payload: Any, effect: str
) -> None:
    people_route(wedding)
    person = ContactFactory(organization=wedding.organization, wedding=wedding, role="couple")
    AddressFactory(organization=wedding.organization, value=person.phone)
    event = stored(wedding, payload=payload)

    made = route_event.route(event.id)

    event.refresh_from_db()
    assert (event.effect, made) == (effect, 1 if effect == "applied" else 0)


def test_a_fact_that_is_older_than_what_is_known_changes_nothing(wedding: Any) -> None:
    newer = stored(wedding, payload={"guest_count": 90})
    route_event.route(newer.id)
    older = stored(wedding, payload={"guest_count": 80})
    ChannelEvent.objects.filter(id=older.id).update(occurred_at=timezone.now() - timedelta(days=1))

    route_event.route(older.id)

    older.refresh_from_db()
    wedding.refresh_from_db()
    assert (older.effect, wedding.guest_count) == ("stale", 90)


@pytest.mark.parametrize(
    "changes",
    [
        [{"field": "ceremony_time", "before": "15:00", "after": None}],
        [{"field": "ceremony_time", "after": "16:00"}],
        [{"field": "first_look", "before": "13:00", "after": "14:00"}, {"field": "ceremony_time", "after": "15:00"}],
        [{"field": "couple", "after": "Eve"}],
        [{"field": "ceremony_time", "after": 1600}],
    ],
)
def test_a_timeline_with_something_new_is_told_whatever_else_it_holds(wedding: Any, changes: Any) -> None:
    people_route(wedding)
    person = ContactFactory(organization=wedding.organization, wedding=wedding, role="couple")
    AddressFactory(organization=wedding.organization, value=person.phone)
    event = stored(wedding, "timeline.updated", {"changes": changes})

    assert route_event.route(event.id) == 1


@pytest.mark.parametrize("template", ["", "a:b", "a:{elsewhere}:c", "a:*:c", "{wedding}:b c:d"])
def test_a_live_channel_that_can_not_be_is_refused_at_its_field(wedding: Any, template: str) -> None:
    route = RouteFactory.build(
        organization=wedding.organization,
        channel_pattern="couple:dashboard:{wedding}",
        target=Route.Target.LIVE,
        system=None,
        live_channel=template,
    )

    with pytest.raises(ValidationError) as raised:
        route.clean()
    assert "live_channel" in raised.value.message_dict
