"""What a system knows already is not told to it again, and two systems that contradict each other are stopped."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.health.round import sweep_health
from integrations.models import Alert, Delivery
from integrations.routing import planning
from integrations.routing.matching import EventFacts
from integrations.states import Reason, State
from tests.integrations.routing.told_house import House, booking
from wedsync.ids import new_id
from wedsync.live.models import ChannelEvent

pytestmark = pytest.mark.django_db


def reasons(made: list[Delivery]) -> list[tuple[str, str]]:
    return [(row.state, row.state_reason) for row in made]


KNOWN = [(State.SKIPPED, Reason.ALREADY_KNOWN)]
TOLD = [(State.PENDING, "")]


@pytest.mark.parametrize(
    ("event_type", "payload"),
    [
        ("booking.updated", booking("SC-9")),
        ("booking.confirmed", booking("SC-9")),
        ("booking.cancelled", booking("SC-9", status="cancelled")),
        ("booking.created", booking("SC-9")),
    ],
)
def test_what_a_system_tells_back_ends_there(event_type: str, payload: dict[str, Any]) -> None:
    house = House()

    assert reasons(house.says(house.second, event_type, payload)) == TOLD
    assert reasons(house.says(house.first, event_type, {**payload, "booking_id": "VM-1"})) == KNOWN


def test_the_same_under_another_name_is_the_same() -> None:
    house = House()
    house.says(house.second, "booking.confirmed", {"booking_id": "SC-9", "status": "booked"})

    told_back = house.says(house.first, "booking.updated", {"booking_id": "VM-1", "status": "confirmed"})

    assert reasons(told_back) == KNOWN


@pytest.mark.parametrize(
    ("event_type", "payload"),
    [
        ("venue.setup_scheduled", {"starts_at": "2027-06-19T09:00:00+02:00", "requirements": "Ladder"}),
        ("venue.catering_updated", {"requirements": "Vegan"}),
        ("venue.space_assigned", {"space": "Hall"}),
    ],
)
def test_work_at_the_venue_is_told_to_another_venue_once(event_type: str, payload: dict[str, Any]) -> None:
    house = House("venue_master", "party_rental")

    assert reasons(house.says(house.second, event_type, payload)) == TOLD
    assert reasons(house.says(house.first, event_type, payload)) == KNOWN
    assert reasons(house.says(None, event_type, payload)) == KNOWN * 2, "nor does anybody else tell them again"


def test_a_gallery_is_told_to_another_crm_once() -> None:
    house = House("shootq", "iris_works")
    gallery = {"gallery_url": "https://gallery.example/1", "photo_count": 80}

    assert reasons(house.says(house.second, "gallery.ready", gallery)) == TOLD
    assert reasons(house.says(house.first, "gallery.ready", gallery)) == KNOWN
    assert reasons(house.says(house.first, "gallery.delivered", gallery)) == TOLD


def test_a_different_value_in_between_lets_the_first_one_pass_again() -> None:
    house = House()
    notes = ["at 15:00", "at 16:00", "at 15:00"]

    made = [house.says(house.second, "booking.updated", booking("SC-9", notes=each)) for each in notes]

    assert [reasons(each) for each in made] == [TOLD] * 3


def test_a_part_of_what_was_told_is_known_and_one_field_more_is_news() -> None:
    house = House()
    house.says(house.second, "booking.updated", booking("SC-9"))

    assert reasons(house.says(house.second, "booking.updated", {"booking_id": "SC-9", "status": "confirmed"})) == KNOWN
    assert reasons(house.says(house.second, "booking.updated", booking("SC-9", date="2027-06-19"))) == TOLD


@pytest.mark.parametrize(("seconds", "expected"), [(590, KNOWN), (610, TOLD)])
def test_after_ten_minutes_it_is_told_again(seconds: float, expected: list[Any]) -> None:
    house = House()
    house.says(house.second, "booking.updated", booking("SC-9"), ago=seconds)

    assert reasons(house.says(house.second, "booking.updated", booking("SC-9"))) == expected


def test_the_time_is_a_setting(settings: Any) -> None:
    settings.ECHO_SECONDS = 0
    house = House()

    assert [reasons(house.says(house.second, "booking.updated", booking("SC-9"))) for _ in range(2)] == [TOLD] * 2


@pytest.mark.parametrize(
    ("event_type", "payload"),
    [
        ("venue.emergency_reported", {"kind": "power", "description": "Dark", "reported_by": "Tom"}),
        ("payment.failed", {"amount": 10, "currency": "EUR", "reference": "R1"}),
        ("payment.received", {"amount": 10, "currency": "EUR", "reference": "R1"}),
    ],
)
def test_emergencies_and_payments_are_always_told(event_type: str, payload: dict[str, Any]) -> None:
    house = House("venue_master", "webhook")

    made = [house.says(house.first, event_type, payload) for _ in range(12)]

    assert [reasons(each) for each in made] == [TOLD] * 12


def test_two_bookings_of_one_sender_and_bookings_of_systems_that_heard_nothing_are_not_the_same() -> None:
    house = House()
    caterer = house.add("party_rental", "PR-3")

    assert reasons(house.says(caterer, "booking.confirmed", booking("PR-3"))) == TOLD * 2
    assert reasons(house.says(caterer, "booking.confirmed", booking("PR-4"))) == TOLD * 2
    silent = House()
    silent.add("shootq", "Q-1", active=False)
    assert reasons(silent.says(silent.first, "booking.confirmed", booking("VM-1"))) == TOLD


def test_a_signed_webhook_gets_each_event_but_the_same_twice() -> None:
    house = House("venue_master", "webhook")
    for payload, expected in (
        (booking("VM-1"), TOLD),
        (booking("VM-1"), KNOWN),
        (booking("VM-2"), TOLD),
    ):
        assert reasons(house.says(house.first, "booking.updated", payload)) == expected
    gallery = {"gallery_url": "https://gallery.example/1"}
    assert [reasons(house.says(house.first, "gallery.ready", gallery)) for _ in range(2)] == [TOLD] * 2


@pytest.mark.parametrize("state", [State.DEAD, State.CANCELLED, State.SKIPPED])
def test_what_did_not_arrive_was_not_told(state: State) -> None:
    house = House()
    house.says(house.second, "booking.updated", booking("SC-9"))
    Delivery.objects.update(state=state, finished_at=timezone.now())

    assert reasons(house.says(house.second, "booking.updated", booking("SC-9"))) == TOLD


def test_a_route_that_wants_the_echo_gets_it() -> None:
    house = House(echo=True)
    house.says(house.second, "booking.updated", booking("SC-9"))

    assert reasons(house.says(house.first, "booking.updated", booking("VM-1"))) == TOLD * 2


def test_two_systems_that_contradict_each_other_are_stopped_after_ten_turns_and_staff_are_alerted() -> None:
    house = House()
    pairs = [(house.second, booking("SC-9", notes="15:00")), (house.first, booking("VM-1", notes="16:00"))] * 6

    made = [house.says(system, "booking.updated", payload) for system, payload in pairs]

    assert [reasons(each) for each in made[:10]] == [TOLD] * 10
    assert reasons(made[10]) == [(State.SKIPPED, Reason.LOOP_STOPPED)]
    alert = Alert.objects.get()
    assert (alert.cause, alert.about) == ("loop", str(house.wedding.id))
    assert house.first.name in alert.text
    assert house.second.name in alert.text
    sweep_health()
    assert Alert.objects.filter(resolved_at=None).exists()
    Alert.objects.update(last_at=timezone.now() - timedelta(minutes=11))
    sweep_health()
    assert not Alert.objects.filter(resolved_at=None).exists()


def test_one_system_may_change_its_mind_as_often_as_it_likes() -> None:
    house = House()

    made = [house.says(house.second, "booking.updated", booking("SC-9", notes=f"at {hour}")) for hour in range(15)]

    assert [reasons(each) for each in made] == [TOLD] * 15


def test_turns_beyond_ten_minutes_count_no_more() -> None:
    house = House()
    pairs = [(house.second, booking("SC-9", notes="15:00")), (house.first, booking("VM-1", notes="16:00"))] * 6
    for system, payload in pairs[:10]:
        house.says(system, "booking.updated", payload, ago=610)

    assert reasons(house.says(*pairs[10][:1], "booking.updated", pairs[10][1])) == TOLD
    assert not Alert.objects.exists()


def test_a_dry_run_says_it_beforehand() -> None:
    house = House()
    house.says(house.second, "booking.updated", booking("SC-9"))
    event = ChannelEvent(
        id=new_id(),
        organization=house.wedding.organization,
        wedding=house.wedding,
        type="booking.updated",
        payload=booking("SC-9"),
        occurred_at=timezone.now(),
        received_at=timezone.now(),
        source="webhook",
        source_system_id=house.second.id,
        priority="normal",
    )

    plan = planning.work_out(EventFacts.of(event, [f"couple:dashboard:{house.wedding.id}"]), timezone.now())

    assert [each.planned.skipped for each in plan.requested.values()] == [Reason.ALREADY_KNOWN]


def test_judging_takes_one_query_where_nothing_was_said_and_two_where_something_was() -> None:
    house = House()

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            house.says(house.second, "booking.updated", booking("SC-9"))
        of_events = [
            each["sql"] for each in seen if "integrations_delivery" in each["sql"] or "channelevent" in each["sql"]
        ]
        judged = [
            sql
            for sql in of_events
            if '"live_channelevent"."type" IN' in sql or 'NOT ("integrations_delivery"."state" IN' in sql
        ]
        return len(judged)

    assert [queries(), queries()] == [1, 2]
