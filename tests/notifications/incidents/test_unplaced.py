"""An emergency without a wedding: staff hear of it at once, and again; they, or the clock, say which wedding it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import Alert, Connection, Delivery, ExternalReference, System
from integrations.references import linking
from integrations.routing.route_event import route
from notifications import links
from notifications.channels import subjects
from notifications.incidents import acknowledging, opening, placement, staff_calls, unplaced
from notifications.models import Incident
from notifications.wording import write
from tests.factories import EventFactory, ExternalReferenceFactory
from tests.notifications.houses import SMOKE, House
from tests.notifications.incidents.unplaced_staff import STAFF, due

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("weddings", "said", "trouble"),
    [
        ((), {}, "no_wedding_named"),
        ((0, 0), {}, "no_wedding_named"),
        ((1, -3), {}, "no_wedding_named"),
        ((), {"booking_id": "B-404"}, "booking_unknown"),
        ((0, 0), {"booking_id": "B-404"}, "booking_unknown"),
        ((0,), {"booking_id": "B-404"}, "booking_unknown"),
        ((0,), {"wedding_id": "01977f00-0000-7000-8000-0000000000e1"}, "wedding_not_ours"),
    ],
)
def test_staff_hear_at_once_by_every_channel_that_they_have(
    house: House, weddings: tuple[int, ...], said: dict[str, str], trouble: str
) -> None:
    for days in weddings:
        house.wedding(days)

    event = house.report(**said)

    incident = house.asked
    assert event.routing == "unlinked"
    assert incident.event.payload["trouble"] == trouble
    assert incident.connection_id == house.connection.id
    assert house.told(incident.event) == STAFF
    assert incident.state == "open"
    assert incident.staff_due_at is not None


def test_the_only_wedding_of_today_is_alarmed_at_once_where_the_report_names_none(house: House) -> None:
    wedding = house.wedding()
    house.wedding(known=False)
    house.wedding(3)

    event = house.report()
    route(event.id)

    event.refresh_from_db()
    incident = Incident.objects.get()
    assert (incident.wedding, event.wedding, event.routing) == (wedding, wedding, "routed")
    assert house.told(event) == STAFF
    for delivery in Delivery.objects.filter(event=event).select_related("event__wedding", "system"):
        assert "We assume that it concerns this wedding" in write(subjects.of(delivery)).text


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Vienna"])
def test_today_is_the_day_at_the_venue(house: House, zone: str) -> None:
    wedding = house.wedding(zone=zone)

    event = house.report()

    assert event.wedding == wedding


def test_an_unknown_booking_is_asked_about_before_the_only_wedding_of_today_is_alarmed(house: House) -> None:
    wedding = house.wedding(couple="Anna & Ben")
    event = house.report(booking_id="B-404")
    incident = house.asked
    assert incident.suggested_wedding == wedding
    assert placement.assume_due() == 0
    delivery = Delivery.objects.filter(event=incident.event, channel="slack").get()
    assert "Is it Anna & Ben (today, Seehof)? Unless somebody answers by" in write(subjects.of(delivery)).text

    due(incident, assumed_at=Now())
    assert placement.assume_due() == 1
    assert placement.assume_due() == 0
    event.refresh_from_db()
    assert (event.wedding, event.payload["wedding_assumed"], event.routing) == (wedding, True, "pending")
    route(event.id)

    opened = Incident.objects.get(wedding=wedding)
    assert [report.event_id for report in opened.reports.all()] == [event.id]
    incident.refresh_from_db()
    assert (incident.state, incident.chosen_wedding, incident.reports.count()) == ("resolved", wedding, 0)
    assert house.told(event) == STAFF


@pytest.mark.parametrize("said", [{"wedding_id": "01977f00-0000-7000-8000-0000000000e1"}, {"booking_id": "B-1"}])
def test_a_paused_connection_and_a_named_wedding_are_never_guessed_about(house: House, said: dict[str, str]) -> None:
    house.wedding()
    Connection.objects.update(state="paused" if "booking_id" in said else "active")

    house.report(**said)

    assert house.asked.assumed_at is None
    assert house.told(house.asked.event) == STAFF


def test_reports_join_one_open_incident_of_their_connection(house: House) -> None:
    for number in range(5):
        house.report(booking_id=f"B-{number}")
    house.report(booking_id="B-4")

    incident = house.asked
    assert incident.reports.count() == 6
    assert incident.staff_calls == 1
    due(incident, staff_due_at=Now())
    Delivery.objects.update(state="succeeded")
    due(incident, told_at=timezone.now() - timedelta(minutes=2))
    assert staff_calls.call_due() == 1
    again = Delivery.objects.filter(event=incident.event, plan_step=opening.FIRST_STAFF_CALL + 1).first()
    assert again
    text = write(subjects.of(again)).text
    assert "Also reported: fire (booking B-4)" in text
    assert "Nobody has confirmed this yet." in text


def test_a_report_without_words_is_repeated_as_not_given_and_the_first_not_at_all(house: House) -> None:
    house.report(kind="", description=" ")
    incident = house.asked
    house.report(kind="", description="", booking_id="B-4")

    delivery = Delivery.objects.filter(event=incident.event).first()
    assert delivery
    lines = write(subjects.of(delivery)).text.splitlines()
    assert "What happened: not given" in lines
    assert [line for line in lines if line.startswith("Also")] == ["Also reported: emergency (booking B-4): not given"]


def test_staff_are_told_again_until_somebody_takes_it(house: House) -> None:
    house.report()
    incident = house.asked
    for _ in range(3):
        Delivery.objects.filter(state="pending").update(state="scheduled", attempt_count=1)
        due(incident, staff_due_at=Now(), told_at=timezone.now() - timedelta(minutes=2))
        assert staff_calls.call_due() == 1
        assert staff_calls.call_due() == 0
    live = Delivery.objects.filter(event=incident.event).exclude(state="cancelled")
    assert {each.plan_step for each in live} == {opening.FIRST_STAFF_CALL + 3}
    assert house.told(incident.event, plan_step=opening.FIRST_STAFF_CALL + 3) == STAFF

    token = links.acknowledge_token(live[0].id)
    acknowledging.acknowledge(token, by="Ben", via="Slack")

    due(incident, told_at=timezone.now() - timedelta(hours=1))
    assert staff_calls.call_due() == 0
    assert not Delivery.objects.filter(state="pending").exists()


def test_a_new_report_opens_again_what_somebody_had_taken(house: House) -> None:
    house.report()
    acknowledging.acknowledge_incident(house.asked, by="Ben", via="Slack")
    house.report()
    assert house.asked.state == "acknowledged"

    house.report(description="The hall is burning")

    assert (house.asked.state, house.asked.acknowledged_by) == ("open", "")
    assert house.asked.staff_due_at is not None


def test_nobody_to_be_told_is_an_alert_at_once(house: House) -> None:
    System.objects.filter(kind__in=["email", "slack"]).delete()

    house.report()

    alert = Alert.objects.get()
    assert (alert.cause, alert.about) == ("nobody_reached", str(house.asked.id))


def test_a_way_that_was_not_tried_yet_keeps_its_message_and_gets_no_second_one(house: House) -> None:
    house.report()
    due(house.asked, staff_due_at=Now())

    assert staff_calls.call_due() == 1

    assert house.told(house.asked.event, state="pending") == STAFF
    assert set(Delivery.objects.values_list("plan_step", flat=True)) == {opening.FIRST_STAFF_CALL}


def test_nobody_told_in_time_is_an_alert_and_a_new_try_on_every_channel(house: House) -> None:
    house.report()
    Delivery.objects.update(state="scheduled", attempt_count=1)
    due(house.asked, staff_due_at=Now())

    assert staff_calls.call_due() == 1

    assert Alert.objects.get().cause == "nobody_reached"
    assert house.told(house.asked.event, plan_step=opening.FIRST_STAFF_CALL + 1) == STAFF


def test_a_lost_hint_is_found_again_by_the_sweep_once(house: House) -> None:
    EventFactory(
        organization=house.organization, wedding=None, type=opening.REPORTED, payload=SMOKE, priority="urgent",
        routing="unlinked", source_system_id=house.system.id, source_connection_id=house.connection.id,
    )  # fmt: skip

    assert unplaced.find_left_behind() == 1
    assert unplaced.find_left_behind() == 0
    assert house.told(house.asked.event) == STAFF


def test_a_reference_that_comes_late_takes_the_report_to_its_wedding(house: House) -> None:
    wedding = house.wedding(5)
    event = house.report(booking_id="B-5")
    reference = ExternalReferenceFactory(
        organization=house.organization, system=house.system, wedding=wedding, external_id="B-5",
        kind=ExternalReference.Kind.BOOKING,
    )  # fmt: skip
    asked = house.asked

    assert linking.link_named(reference) == 1
    route(event.id)

    asked.refresh_from_db()
    assert (asked.state, asked.chosen_wedding) == ("resolved", wedding)
    assert Incident.objects.get(wedding=wedding).reports.get().event_id == event.id
