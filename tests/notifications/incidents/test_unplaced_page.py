"""The page on which staff say to which wedding an emergency belongs."""

from __future__ import annotations

import pytest
from django.test import Client

from integrations.models import Delivery
from integrations.routing.route_event import route
from notifications import links
from notifications.channels import subjects
from notifications.models import Incident, IncidentReport
from notifications.wording import write
from tests.factories import WeddingFactory
from tests.notifications.houses import House
from tests.notifications.incidents.unplaced_staff import STAFF
from wedsync.live.models import ChannelEvent

pytestmark = pytest.mark.django_db


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
        assert "Somebody else answered first; your answer changed nothing." in late
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
        assert "about any of your weddings" in page
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
