"""An emergency without a wedding: staff hear of it at once, and again; they, or the clock, say which wedding it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from integrations.models import Alert, Connection, Delivery, ExternalReference, System
from integrations.references import linking
from integrations.routing.route_event import route
from notifications import links
from notifications.channels import subjects
from notifications.incidents import acknowledging, opening, placement, staff_calls, unplaced
from notifications.incidents.emergency_reports import Report, Trouble
from notifications.incidents.unplaced import tell_staff
from notifications.models import Incident, IncidentReport
from notifications.wording import write
from tests.factories import (
    EventFactory,
    ExternalReferenceFactory,
    WeddingFactory,
)
from tests.notifications.houses import SMOKE, House, a_house
from wedsync.live.models import ChannelEvent

pytestmark = pytest.mark.django_db
STAFF = {("slack", "team"), ("email", "owner@people.example"), ("email", "support@people.example")}


@pytest.fixture
def house() -> House:
    return a_house()


def due(incident: Incident, **columns: Any) -> None:
    Incident.objects.filter(id=incident.id).update(**columns)


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
        assert "We assume that it is about this wedding" in write(subjects.of(delivery)).text


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


class TestThePage:
    def path(self, house: House) -> str:
        delivery = Delivery.objects.filter(event=house.asked.event, channel="email").first()
        assert delivery
        return f"/emergency/{links.wedding_token(delivery.id)}/"

    def test_shows_a_button_for_each_wedding_of_today_and_opening_it_changes_nothing(
        self, house: House, client: Client
    ) -> None:
        house.wedding(couple="Anna & Ben")
        house.wedding(couple="Cleo & Dan", known=False)
        house.wedding(9, couple="Eva & Fox")
        house.report(booking_id="B-404")
        before = list(Incident.objects.values())

        page = client.get(self.path(house)).content.decode()
        client.head(self.path(house))

        assert "Yes: Anna &amp; Ben (today, Seehof)</button>" in page
        assert "Cleo &amp; Dan (today, Seehof)</button>" in page
        assert "Eva &amp; Fox" in page
        assert "None of our weddings" in page
        assert list(Incident.objects.values()) == before

    def test_a_choice_takes_the_reports_to_the_wedding_once(self, house: House, client: Client) -> None:
        wedding, other = house.wedding(), house.wedding()
        events = [house.report(booking_id=f"B-{number}") for number in range(2)]
        path = self.path(house)
        asked = house.asked

        first = client.post(path, {"wedding": str(wedding.id)}).content.decode()
        again = client.post(path, {"wedding": str(wedding.id)}).content.decode()
        late = client.post(path, {"wedding": str(other.id)}).content.decode()
        for event in events:
            route(event.id)

        asked.refresh_from_db()
        assert asked.chosen_wedding == wedding
        assert wedding.couple.split(" &")[0] in first
        assert first == again
        assert "Somebody was first, and your answer changed nothing." in late
        opened = Incident.objects.get(wedding__isnull=False)
        assert opened.wedding == wedding
        assert set(opened.reports.values_list("event_id", flat=True)) == {event.id for event in events}
        assert not IncidentReport.objects.filter(incident=asked).exists()

    def test_an_emergency_without_a_kind_is_called_one(self, house: House, client: Client) -> None:
        house.report(kind=None)
        Incident.objects.update(kind="")

        assert "Emergency: which wedding is it?</h1>" in client.get(self.path(house)).content.decode()

    def test_none_of_ours_ends_it_and_tells_those_who_were_told(self, house: House, client: Client) -> None:
        house.report()
        asked = house.asked
        Delivery.objects.update(state="succeeded")

        page = client.post(self.path(house), {"wedding": "none"}).content.decode()

        asked.refresh_from_db()
        assert (asked.state, asked.chosen_wedding) == ("resolved", None)
        assert "none of your weddings" in page
        cleared = ChannelEvent.objects.get(type="incident.resolved")
        assert house.told(cleared) == STAFF
        for delivery in Delivery.objects.filter(event=cleared).select_related("event__wedding"):
            assert write(subjects.of(delivery)).headline.startswith("All clear")

    def test_takes_no_wedding_of_another_organization(self, house: House, client: Client) -> None:
        foreign = WeddingFactory()
        house.report()

        for answer in (str(foreign.id), "", "nonsense", "\x00"):
            assert client.post(self.path(house), {"wedding": answer}).status_code == 422

        assert house.asked.state == "open"

    def test_takes_no_other_token(self, house: House, client: Client) -> None:
        house.report()
        delivery = Delivery.objects.filter(event=house.asked.event).first()
        assert delivery

        for token in (links.acknowledge_token(delivery.id), "nonsense", links.wedding_token(delivery.event_id)):
            assert client.post(f"/emergency/{token}/", {"wedding": "none"}).status_code == 404

        assert house.asked.state == "open"


class TestTheSeam:
    def refused(self, house: House, external_id: str = "E-1", **of: Any) -> Report:
        said: dict[str, Any] = {"kind": "fire", "description": "Smoke", "booking_id": "B-1"} | of
        return Report(
            house.organization.id, house.connection.id, Trouble.REFUSED, "Its time is a year old.", external_id, **said
        )

    def test_a_refused_emergency_is_told_once_for_its_id(self, house: House) -> None:
        assert tell_staff(self.refused(house))
        assert not tell_staff(self.refused(house))

        delivery = Delivery.objects.filter(event=house.asked.event, channel="slack").get()
        text = write(subjects.of(delivery)).text
        assert house.told(house.asked.event) == STAFF
        assert "Its time is a year old." in text
        assert "Smoke" in text

    def test_one_connection_makes_one_alert_in_ten_minutes_and_none_is_lost(self, house: House) -> None:
        for number in range(20):
            assert tell_staff(self.refused(house, f"E-{number}", description=f"Floor {number}"))
        assert house.asked.staff_calls == 1
        placement.none_of_ours(house.asked, by="Ben")

        assert tell_staff(self.refused(house, "E-21", description="Roof"))

        later = Incident.objects.get(state="open")
        assert later.staff_calls == 0
        assert later.staff_due_at
        assert timedelta(minutes=9) < later.staff_due_at - timezone.now() < timedelta(minutes=10)

    def test_what_a_paused_connection_holds_is_told_at_once_whatever_was_told_before(self, house: House) -> None:
        tell_staff(self.refused(house))
        placement.none_of_ours(house.asked, by="Ben")
        for number in range(3):
            event = EventFactory(organization=house.organization, type=opening.REPORTED, routing="held")
            held = Report(
                house.organization.id, house.connection.id, Trouble.HELD, "Paused.", f"H-{number}", event_id=event.id
            )

            assert tell_staff(held)

            asked = Incident.objects.get(state="open")
            assert asked.staff_calls == 1
            placement.none_of_ours(asked, by="Ben")

    def test_one_that_is_well_formed_does_not_wait_with_a_refused_one_that_it_joins(self, house: House) -> None:
        tell_staff(self.refused(house))
        placement.none_of_ours(house.asked, by="Ben")
        tell_staff(self.refused(house, "E-2", description="Roof"))
        waiting = Incident.objects.get(state="open")
        assert waiting.staff_calls == 0

        event = house.report(booking_id="nobody-knows")

        waiting.refresh_from_db()
        assert event.report.incident == waiting
        assert waiting.staff_calls == 1
        assert house.told(waiting.event) == STAFF

    def test_one_that_led_to_no_wedding_makes_no_refused_one_wait(self, house: House) -> None:
        house.report()
        placement.none_of_ours(house.asked, by="Ben")

        assert tell_staff(self.refused(house))

        assert Incident.objects.get(state="open").staff_calls == 1

    def test_what_could_not_be_read_is_told_all_the_same(self, house: House) -> None:
        assert tell_staff(Report(house.organization.id, house.connection.id, Trouble.REFUSED, "Not JSON.", "R-1"))

        assert house.told(house.asked.event) == STAFF
        assert house.asked.kind == "emergency"

    def test_a_refused_one_is_reported_anew_of_the_wedding_that_staff_choose(self, house: House) -> None:
        wedding = house.wedding()
        tell_staff(self.refused(house))

        placement.choose(house.asked, wedding, by="Ben")

        event = ChannelEvent.objects.get(type=opening.REPORTED)
        route(event.id)
        assert (event.wedding, event.payload["description"]) == (wedding, "Smoke")
        assert Incident.objects.get(wedding=wedding).event == event

    def test_a_held_one_goes_on_when_staff_choose_its_wedding(self, house: House) -> None:
        wedding = house.wedding()
        Connection.objects.update(state="paused")
        held = EventFactory(
            organization=house.organization, wedding=wedding, type=opening.REPORTED, payload=SMOKE,
            priority="urgent", routing="held", source_connection_id=house.connection.id,
        )  # fmt: skip
        of = {"wedding_id": wedding.id, "event_id": held.id}
        tell_staff(Report(house.organization.id, house.connection.id, Trouble.HELD, "Paused.", "E-1", **of))  # type: ignore[arg-type]

        placement.choose(house.asked, wedding, by="Ben")
        route(held.id)

        held.refresh_from_db()
        assert held.routing == "routed"
        assert Incident.objects.get(wedding=wedding).event == held
        assert ChannelEvent.objects.filter(type=opening.REPORTED).count() == 1
