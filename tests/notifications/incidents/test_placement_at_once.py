"""Answers to “which wedding is it?” that come at the same moment, each through a connection of its own."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.test import Client

from integrations.models import Delivery, ExternalReference
from integrations.references import linking, suppliers
from integrations.routing.route_event import route
from notifications import links
from notifications.incidents import opening, placement
from notifications.incidents.emergency_reports import Report, Trouble
from notifications.incidents.placement import Placement
from notifications.incidents.unplaced import tell_staff
from notifications.models import Incident, IncidentReport
from tests.at_once import at_once
from tests.factories import ExternalReferenceFactory
from tests.notifications.houses import House, a_house
from tests.polling import until
from wedsync.live.channels import names_for
from wedsync.live.log.writer import reserve
from wedsync.live.models import ChannelEntry, ChannelEvent
from wedsync.weddings.models import Wedding

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = range(4)


@pytest.fixture
def house() -> House:
    return a_house()


def refused(house: House) -> None:
    """A report that cannot become an event; it waits in the same incident as those without a wedding."""
    tell_staff(Report(house.organization.id, house.connection.id, Trouble.REFUSED, "Too old.", "E-1", "flood", "Water"))


def fresh(incident: Incident) -> Incident:
    return Incident.objects.select_related("event", "suggested_wedding", "chosen_wedding").get(id=incident.id)


def path(incident: Incident) -> str:
    delivery = Delivery.objects.filter(event=incident.event, channel="email").first()
    assert delivery
    return f"/emergency/{links.wedding_token(delivery.id)}/"


def check_one_outcome(asked: Incident, events: list[ChannelEvent]) -> Wedding:
    """All reports went to the chosen wedding's incident, each once and onto its channels once."""
    for event in ChannelEvent.objects.filter(type=opening.REPORTED):
        route(event.id)
    after = fresh(asked)
    chosen = after.chosen_wedding
    assert after.state == "resolved"
    assert chosen
    opened = Incident.objects.get(wedding__isnull=False)
    assert opened.wedding == chosen
    reported = ChannelEvent.objects.filter(type=opening.REPORTED)
    assert set(reported.values_list("wedding", "routing")) == {(chosen.id, "routed")}
    assert sorted(opened.reports.values_list("event_id", flat=True)) == sorted(reported.values_list("id", flat=True))
    assert not IncidentReport.objects.filter(incident=asked, event__in=events).exists()
    places = ChannelEntry.objects.filter(event__in=reported).values_list("event_id", "channel__name")
    assert max(Counter(places).values()) == 1
    return chosen


@pytest.mark.parametrize("round_", ROUNDS)
def test_of_two_who_choose_different_weddings_one_is_first_and_the_other_learns_so(house: House, round_: int) -> None:
    weddings = [house.wedding(), house.wedding(1), house.wedding(2)]
    events = [house.report(booking_id=f"B-{number}") for number in range(2)]
    refused(house)
    asked = house.asked

    def work(number: int) -> Placement:
        return placement.choose(fresh(asked), weddings[number], by=f"Person {number}")

    choices = at_once(3, work)

    (winner,) = [number for number, choice in enumerate(choices) if not choice.already]
    assert check_one_outcome(asked, events) == weddings[winner]
    assert {choice.incident.chosen_wedding for choice in choices} == {weddings[winner]}
    assert {choice.incident.resolved_by for choice in choices} == {f"Person {winner}"}
    assert ChannelEvent.objects.filter(type=opening.REPORTED).count() == 3, "what was refused is reported anew once"


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_choice_and_the_word_that_it_is_none_have_one_outcome(house: House, round_: int) -> None:
    wedding = house.wedding()
    house.report(booking_id="B-1")
    asked = house.asked

    def work(number: int) -> Placement:
        if number:
            return placement.none_of_ours(fresh(asked), by="None")
        return placement.choose(fresh(asked), wedding, by="Choice")

    chosen, none = at_once(2, work)

    assert (chosen.already, none.already) in {(True, False), (False, True)}
    cleared = ChannelEvent.objects.filter(type=opening.RESOLVED).count()
    linked = ChannelEvent.objects.filter(type=opening.REPORTED, wedding=wedding).count()
    expected = ("None", None, 1, 0) if chosen.already else ("Choice", wedding, 0, 1)
    assert (fresh(asked).resolved_by, fresh(asked).chosen_wedding, cleared, linked) == expected


@pytest.mark.parametrize("round_", ROUNDS)
def test_an_answer_at_the_moment_of_the_assumption_has_one_outcome(house: House, round_: int) -> None:
    suggested, other = house.wedding(), house.wedding(3)
    events = [house.report(booking_id=f"B-{number}") for number in range(2)]
    asked = house.asked
    assert asked.suggested_wedding == suggested
    Incident.objects.filter(id=asked.id).update(assumed_at=Now())

    def work(number: int) -> bool:
        if number:
            return placement.assume_due() == 1
        return not placement.choose(fresh(asked), other, by="Ben").already

    answered, assumed = at_once(2, work)

    assert answered != assumed
    assert check_one_outcome(asked, events) == (other if answered else suggested)
    assert fresh(asked).resolved_by == ("Ben" if answered else placement.NOBODY_ANSWERED)


@pytest.mark.parametrize("round_", ROUNDS)
def test_processes_that_assume_at_once_assume_once(house: House, round_: int) -> None:
    wedding = house.wedding()
    events = [house.report(booking_id=f"B-{number}") for number in range(3)]
    asked = house.asked
    Incident.objects.filter(id=asked.id).update(assumed_at=Now())

    assert sum(at_once(4, lambda _: placement.assume_due())) == 1

    assert check_one_outcome(asked, events) == wedding


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_report_that_comes_while_somebody_chooses_is_asked_about_or_told(house: House, round_: int) -> None:
    wedding = house.wedding(4)
    house.report(booking_id="B-1")
    asked = house.asked

    at_once(
        3,
        lambda number: (
            house.report(booking_id=f"B-1{number}", description=f"Floor {number}")
            if number
            else placement.choose(fresh(asked), wedding, by="Ben")
        ),
    )

    events = list(ChannelEvent.objects.filter(type=opening.REPORTED))
    for event in events:
        route(event.id)
    for event in ChannelEvent.objects.filter(type=opening.REPORTED):
        report = IncidentReport.objects.select_related("incident").get(event=event)
        assert report.incident.wedding == event.wedding
        assert report.incident.state == "open"


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_choice_and_a_late_reference_link_each_report_once(house: House, round_: int) -> None:
    named, other = house.wedding(5), house.wedding(6)
    events = [house.report(booking_id="B-5"), house.report(booking_id="B-6")]
    asked = house.asked
    reference = ExternalReferenceFactory(
        organization=house.organization, system=house.system, wedding=named, external_id="B-5",
        kind=ExternalReference.Kind.BOOKING,
    )  # fmt: skip

    at_once(
        2,
        lambda number: linking.link_named(reference) if number else placement.choose(fresh(asked), other, by="Ben"),
    )
    at_once(2, lambda number: route(events[number].id))

    for event in ChannelEvent.objects.filter(id__in=[event.id for event in events]):
        report = IncidentReport.objects.select_related("incident").get(event=event)
        assert event.wedding in {named, other}
        assert report.incident.wedding == event.wedding
    assert ChannelEvent.objects.get(id=events[1].id).wedding == other
    assert fresh(asked).chosen_wedding == other


def test_a_choice_takes_channels_in_the_order_of_everyone_else(house: House) -> None:
    """It links one report and reports another anew; whoever holds a channel that comes first must not wait for it."""
    wedding = house.wedding(5)
    house.report(booking_id="B-1")
    refused(house)
    asked = house.asked
    organization = house.organization.id
    placed, blocked = threading.Event(), "SELECT count(*) FROM pg_locks WHERE NOT granted"
    names = _channels_of_an_emergency(house, wedding)
    assert len(names) > 1

    def hold_the_first_then_the_others() -> None:
        with transaction.atomic():
            reserve({(organization, names[0]): 1})
            placed.set()
            until(lambda: _count(blocked), what="the choice's wait for the first channel")
            reserve({(organization, name): 1 for name in names[1:]})

    def work(number: int) -> None:
        if number:
            hold_the_first_then_the_others()
        else:
            assert placed.wait(10)
            placement.choose(fresh(asked), wedding, by="Ben")

    at_once(2, work)

    assert fresh(asked).chosen_wedding == wedding


def _channels_of_an_emergency(house: House, wedding: Wedding) -> list[str]:
    return names_for(
        opening.REPORTED,
        organization_id=house.organization.id,
        wedding_id=wedding.id,
        supplier_ids=suppliers.of_weddings([wedding.id])[wedding.id],
        payload={},
    )


def _count(query: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])


def test_who_presses_a_button_too_late_is_told_that_it_changed_nothing(house: House) -> None:
    weddings = [house.wedding(couple="Anna & Ben"), house.wedding(couple="Cleo & Dan")]
    house.report(booking_id="B-1")
    page = path(house.asked)

    pages = at_once(2, lambda number: Client().post(page, {"wedding": str(weddings[number].id)}).content.decode())

    late = [shown for shown in pages if "Somebody else answered first; your answer changed nothing." in shown]
    assert len(late) == 1
    chosen = Incident.objects.get(wedding=None).chosen_wedding
    assert chosen
    assert all(f"<strong>{chosen.couple.replace('&', '&amp;')}" in shown for shown in pages)
