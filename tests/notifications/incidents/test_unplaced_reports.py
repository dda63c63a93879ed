"""Emergencies that are refused, or held by a paused connection: staff are told without an event."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.models import Connection, Delivery
from integrations.routing.route_event import route
from notifications.channels import subjects
from notifications.incidents import opening, placement
from notifications.incidents.emergency_reports import Report, Trouble
from notifications.incidents.unplaced import tell_staff
from notifications.models import Incident
from notifications.wording import write
from tests.factories import EventFactory
from tests.notifications.houses import SMOKE, House
from tests.notifications.incidents.unplaced_staff import STAFF
from wedsync.live.models import ChannelEvent

pytestmark = pytest.mark.django_db


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
