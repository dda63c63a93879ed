"""Emergencies that a paused connection holds: staff are called until the last one goes on, and not after it."""

from __future__ import annotations

import pytest
from django.db.models.functions import Now
from django.test import Client

from integrations.deliveries import claims
from integrations.models import Alert, Delivery
from integrations.routing.route_event import route
from integrations.sending import claimed_delivery
from integrations.systems import lifecycle
from notifications import links
from notifications.channels import subjects
from notifications.incidents import acknowledging, opening, placement, staff_calls
from notifications.models import Incident
from notifications.wording import write
from tests.at_once import at_once
from tests.factories import EventFactory
from tests.notifications.houses import SMOKE, House, a_house
from tests.notifications.incidents.held import a_minute_later, hold, of_staff, refuse, resume
from wedsync.live.models import ChannelEvent

pytestmark = pytest.mark.django_db

Routing = ChannelEvent.Routing
STAFF = {("slack", "team"), ("email", "owner@people.example"), ("email", "support@people.example")}


@pytest.fixture
def house() -> House:
    made = a_house()
    lifecycle.pause_connection(made.connection)
    return made


def test_the_call_ends_when_what_was_held_goes_on(house: House) -> None:
    wedding = house.wedding()
    event = hold(house, wedding)
    asked = house.asked
    assert house.told(asked.event) == STAFF
    assert a_minute_later(asked), "it is held still"
    told = of_staff()

    resume(house, event)

    asked.refresh_from_db()
    assert (asked.state, asked.chosen_wedding, asked.staff_due_at) == ("resolved", wedding, None)
    assert not a_minute_later(asked)
    assert of_staff() == told
    assert Incident.objects.get(wedding=wedding).event == event
    assert not ChannelEvent.objects.filter(type=opening.RESOLVED).exists(), "nobody needs an all-clear"


def test_what_waits_of_the_call_is_called_off(house: House) -> None:
    event = hold(house, house.wedding())
    waiting = Delivery.objects.filter(event=house.asked.event)
    waiting.update(state="scheduled", attempt_count=1)

    resume(house, event)

    assert set(waiting.values_list("state", flat=True)) == {"cancelled"}


def test_the_call_ends_by_itself_where_staff_were_told_after_it_had_gone_on(house: House) -> None:
    """A task may look at what is held just before it is let go."""
    wedding = house.wedding()
    event = hold(house, wedding)
    told = of_staff()
    ChannelEvent.objects.filter(id=event.id).update(routing=Routing.ROUTED)

    assert not a_minute_later(house.asked)

    assert house.asked.state == "resolved"
    assert of_staff() == told


def test_while_the_last_one_is_being_routed_staff_are_not_told_again(house: House) -> None:
    event = hold(house, house.wedding())
    told = of_staff()
    lifecycle.resume_connection(house.connection)

    assert not a_minute_later(house.asked)
    assert of_staff() == told
    assert house.asked.state == "open", "it is not routed yet"

    route(event.id)
    assert house.asked.state == "resolved"


@pytest.mark.parametrize("became", ["held", "failed", "gone"])
def test_staff_are_called_on_while_it_goes_nowhere(house: House, became: str) -> None:
    event = hold(house, house.wedding())
    if became == "gone":
        event.delete()
    else:
        ChannelEvent.objects.filter(id=event.id).update(routing=became)

    assert a_minute_later(house.asked)
    assert house.asked.state == "open"


def test_of_two_the_one_that_is_held_still_is_told(house: House) -> None:
    first = hold(house, house.wedding(), "E-1")
    second = hold(house, house.wedding(), "E-2", description="A guest has collapsed")
    lifecycle.resume_connection(house.connection)
    ChannelEvent.objects.filter(id=second.id).update(routing=Routing.HELD)  # paused again before it was let go
    lifecycle.pause_connection(house.connection)
    route(first.id)

    assert a_minute_later(house.asked)

    again = Delivery.objects.filter(event=house.asked.event, channel="slack").latest("plan_step")
    text = write(subjects.of(again)).text
    assert "A guest has collapsed" in text
    assert "Smoke in the cellar" not in text
    resume(house, second)
    assert (house.asked.state, house.asked.chosen_wedding) == ("resolved", None)


def test_a_refused_one_in_the_same_incident_is_told_on(house: House) -> None:
    event = hold(house, house.wedding())
    refuse(house, "Water in the kitchen")

    resume(house, event)

    assert house.asked.state == "open"
    assert a_minute_later(house.asked)
    again = Delivery.objects.filter(event=house.asked.event, channel="slack").latest("plan_step")
    text = write(subjects.of(again)).text
    assert "Water in the kitchen" in text
    assert "It is a year old." in text
    assert "Smoke" not in text
    assert "It is paused." not in text


def test_one_without_a_wedding_in_the_same_incident_is_told_on(house: House) -> None:
    event = hold(house, house.wedding())
    house.report(booking_id="nobody-knows", description="The roof leaks")

    resume(house, event)

    assert a_minute_later(house.asked)
    again = Delivery.objects.filter(event=house.asked.event, channel="slack").latest("plan_step")
    text = write(subjects.of(again)).text
    assert "The roof leaks" in text
    assert "The report names the booking nobody-knows" in text
    assert "Smoke" not in text


def test_the_same_words_at_the_next_pause_are_told_anew(house: House) -> None:
    """Sensors use the same words each time, and somebody may have taken care of the first one."""
    wedding = house.wedding()
    first = hold(house, wedding, "E-1")
    acknowledging.acknowledge_incident(house.asked, by="Ben", via="Slack")
    resume(house, first)
    assert house.asked.state == "resolved"
    lifecycle.pause_connection(house.connection)

    hold(house, wedding, "E-2")

    later = Incident.objects.get(state="open", wedding=None)
    assert house.told(later.event) == STAFF


def test_one_that_ended_unseen_is_joined_by_nothing(house: House) -> None:
    wedding = house.wedding()
    first = hold(house, wedding, "E-1")
    acknowledging.acknowledge_incident(house.asked, by="Ben", via="Slack")
    ChannelEvent.objects.filter(id=first.id).update(routing=Routing.ROUTED)

    hold(house, wedding, "E-2")

    assert Incident.objects.filter(wedding=None, state="resolved").count() == 1
    assert house.told(Incident.objects.get(state="open", wedding=None).event) == STAFF


def test_an_answer_goes_to_those_alone_that_are_held_still(house: House) -> None:
    wedding, other = house.wedding(), house.wedding()
    first, second = hold(house, wedding, "E-1"), hold(house, other, "E-2", description="A guest has collapsed")
    ChannelEvent.objects.filter(id=first.id).update(routing=Routing.PENDING)
    route(first.id)

    placement.choose(house.asked, other, by="Ben")
    route(second.id)

    assert Incident.objects.get(wedding=wedding).reports.get().event == first
    assert Incident.objects.get(wedding=other).reports.get().event == second


def test_the_page_says_that_it_went_on(house: House, client: Client) -> None:
    events = [hold(house, house.wedding(), f"E-{number}", description=f"Floor {number}") for number in range(2)]
    delivery = Delivery.objects.filter(event=house.asked.event, channel="email").first()
    assert delivery

    resume(house, *events)

    page = client.get(f"/emergency/{links.wedding_token(delivery.id)}/").content.decode()
    assert "Its connection was resumed at" in page
    assert "about any of your weddings" not in page


def test_a_connection_that_is_disabled_while_it_holds_them_ends_no_call(house: House) -> None:
    wedding = house.wedding()
    event = hold(house, wedding)
    lifecycle.disable_connection(house.connection)

    assert a_minute_later(house.asked), "somebody must take it"

    placement.choose(house.asked, wedding, by="Ben")
    route(event.id)
    assert Incident.objects.get(wedding=wedding).event == event


def test_a_connection_that_is_deleted_while_it_holds_them_ends_no_call(house: House) -> None:
    hold(house, house.wedding())
    house.connection.delete()

    assert a_minute_later(house.asked)


def test_a_paused_system_holds_no_emergency_that_it_sends(house: House) -> None:
    """To pause a system stops what it is told, not what it tells."""
    wedding = house.wedding()
    lifecycle.resume_connection(house.connection)
    lifecycle.pause_system(house.system)
    event: ChannelEvent = EventFactory(
        organization=house.organization, wedding=wedding, type=opening.REPORTED, payload=SMOKE, priority="urgent",
        routing="pending", source_system_id=house.system.id, source_connection_id=house.connection.id,
    )  # fmt: skip

    route(event.id)

    assert Incident.objects.get(wedding=wedding).event == event


def test_with_every_channel_paused_an_emergency_ends_in_an_alert(house: House) -> None:
    lifecycle.resume_connection(house.connection)
    for system in house.organization.systems.filter(kind__in=["slack", "email", "resend"]):
        lifecycle.pause_system(system)
    house.report(booking_id="nobody-knows")
    Delivery.objects.update(next_attempt_at=Now())
    for delivery_id in list(Delivery.objects.filter(state="pending").values_list("id", flat=True)):
        if lease := claims.claim(delivery_id):  # all that waits for a system may be held by the first of them
            claimed_delivery.work(lease)
    assert set(Delivery.objects.values_list("state", "state_reason")) == {("held", "system_paused")}
    Incident.objects.update(staff_due_at=Now())

    assert staff_calls.call_due() == 1

    assert Alert.objects.get(resolved_at=None).about == str(house.asked.id)


@pytest.mark.django_db(transaction=True)
def test_of_several_that_are_routed_at_once_the_call_ends_once() -> None:
    house = a_house()
    lifecycle.pause_connection(house.connection)
    events = [hold(house, house.wedding(), f"E-{number}", description=f"Floor {number}") for number in range(4)]
    lifecycle.resume_connection(house.connection)

    at_once(4, lambda number: route(events[number].id))
    assert not a_minute_later(house.asked)

    assert house.asked.state == "resolved"
    assert Incident.objects.filter(wedding__isnull=False).count() == 4
