"""An emergency opens an incident of its wedding; staff raise, resolve and drill; its end is told to all who know."""

from typing import Any

import pytest
from django.utils import timezone

from integrations.models import Delivery
from integrations.routing.route_event import route, route_again
from integrations.states import Reason, State
from integrations.vendors import VENDORS
from notifications.channels import subjects
from notifications.incidents import escalation, opening, staff_actions
from notifications.models import Incident, IncidentReport, TraceEntry
from notifications.recipients import staff
from tests.at_once import at_once
from tests.factories import OrganizationFactory, RouteFactory, WeddingFactory
from tests.notifications.incidents.incident_scene import OUTAGE, Scene, everybody, live, make_scene, whom
from tests.notifications.stored import stored
from wedsync.live.models import ChannelEntry, ChannelEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(db: None) -> Scene:
    return make_scene()


def test_a_report_opens_one_incident_and_tells_everyone_by_every_way(scene: Scene) -> None:
    event = scene.report()

    incident = Incident.objects.get()
    assert (incident.state, incident.event, incident.wedding, incident.kind) == (
        "open", event, scene.wedding, "power_outage",
    )  # fmt: skip
    assert whom(live(event=event)) == everybody(scene)
    assert incident.next_step_at
    assert 55 < (incident.next_step_at - timezone.now()).total_seconds() <= 60


@pytest.mark.django_db(transaction=True)
def test_of_many_reports_at_once_one_opens_and_the_others_join() -> None:
    scene = make_scene()
    events = [stored(scene.wedding, opening.REPORTED, OUTAGE) for _ in range(6)]

    at_once(6, lambda number: route(events[number].id))

    assert IncidentReport.objects.filter(incident=scene.incident).count() == 6
    assert whom(live()) == everybody(scene)
    assert len(live()) == len(everybody(scene)), "each is told once"


def test_another_wedding_has_an_incident_of_its_own(scene: Scene) -> None:
    scene.report()
    make_scene().report()

    assert Incident.objects.count() == 2


def test_routing_again_changes_no_incident(scene: Scene) -> None:
    event = scene.report()
    before = list(Incident.objects.values())

    assert route_again(event.id) == 0
    assert list(Incident.objects.values()) == before


def test_the_all_clear_reaches_everyone_who_was_alerted_once(scene: Scene) -> None:
    scene.report()
    RouteFactory(
        organization=scene.wedding.organization, system=None, target="people", everyone=True,
        channel_pattern="urgent:wedding-day:{id}",
    )  # fmt: skip
    Delivery.objects.update(state=State.SUCCEEDED)
    Delivery.objects.filter(contact=scene.anna).update(state=State.SKIPPED, state_reason=Reason.OPTED_OUT)

    done = [staff_actions.resolve(scene.incident, by="Eva") for _ in range(2)]
    event = ChannelEvent.objects.get(type=opening.RESOLVED)
    route(event.id)

    assert done == [True, False]
    told = live(event=event)
    assert whom(told) == everybody(scene) - {("Anna", "whatsapp"), ("Anna", "email")}
    assert len(told) == len(whom(told))
    assert {each.priority for each in told} == {"urgent"}, "it passes quiet hours"
    incident = scene.incident
    assert (incident.state, incident.resolved_by, incident.next_step_at) == ("resolved", "Eva", None)


def test_whom_the_emergency_has_not_reached_by_its_end_gets_neither_it_nor_the_all_clear(scene: Scene) -> None:
    event = scene.report()
    waiting = Delivery.objects.filter(event=event, contact=scene.anna)
    Delivery.objects.filter(event=event).exclude(id__in=waiting).update(state=State.SUCCEEDED)

    staff_actions.resolve(scene.incident, by="ines")

    assert {(row.state, row.state_reason) for row in waiting} == {("cancelled", "acknowledged")}
    clear = ChannelEvent.objects.get(type=opening.RESOLVED)
    assert whom(live(event=clear)) == whom(live(event=event))
    assert not Delivery.objects.filter(event=clear, contact=scene.anna).exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_who_resolve_at_once_one_gives_the_all_clear() -> None:
    scene = make_scene()
    scene.report()

    done = at_once(5, lambda number: staff_actions.resolve(scene.incident, by=f"staff {number}"))

    assert sorted(done) == [False] * 4 + [True]
    assert ChannelEvent.objects.filter(type=opening.RESOLVED).count() == 1


def test_after_the_all_clear_a_new_report_opens_a_new_incident(scene: Scene) -> None:
    scene.report()
    staff_actions.resolve(scene.incident, by="ines")

    event = scene.report()

    assert Incident.objects.filter(state="open").get().event == event
    assert live(event=event)


def test_staff_raise_one_by_hand_through_the_ordinary_routes(scene: Scene) -> None:
    event = staff_actions.raise_emergency(scene.wedding, "storm", "It hails", by="ines")
    route(event.id)

    assert event.priority == "urgent"
    assert scene.incident.opened_by == "ines"
    assert whom(live(event=event)) == everybody(scene)


def test_a_drill_reaches_staff_only_from_its_start_to_its_end(scene: Scene) -> None:
    event = staff_actions.raise_emergency(scene.wedding, "fire", "An exercise", by="eva", drill=True)
    route(event.id)
    staff = {(str(scene.team.id), "slack"), ("owner@people.example", "email")}

    assert scene.incident.drill
    assert whom(live()) == staff
    Delivery.objects.update(state=State.SUCCEEDED)
    staff_actions.resolve(scene.incident, by="eva")
    end = ChannelEvent.objects.get(type=opening.RESOLVED)
    route(end.id)
    assert whom(live(event=end)) == staff
    subject = subjects.of(live(event=end)[0])
    assert (subject.drill, subject.asks) == (True, False), "also its end is marked, and asks for nothing"
    assert {entry.channel.name.partition(":")[0] for entry in ChannelEntry.objects.select_related("channel")} == {"ops"}


def test_a_drill_goes_to_no_team_that_emergencies_do_not_go_to(scene: Scene) -> None:
    other: Any = make_scene().team
    RouteFactory(
        organization=scene.wedding.organization, target="people", channel_pattern="couple:dashboard:{id}",
        event_types=["gallery.ready"],
    )  # fmt: skip

    plans = staff.everyone(scene.wedding.organization_id, scene.wedding)

    assert {plan.target for plan in plans} == {str(scene.team.id), "owner@people.example"}
    assert str(other.id) not in {plan.target for plan in plans}


@pytest.mark.parametrize("drill_first", [True, False])
def test_a_wedding_has_one_drill_at_a_time_beside_its_emergency(scene: Scene, *, drill_first: bool) -> None:
    real = None if drill_first else scene.report()
    staff_actions.raise_emergency(scene.wedding, "fire", "An exercise", by="eva", drill=True)

    with pytest.raises(staff_actions.AlreadyOpen, match="under way"):
        staff_actions.raise_emergency(scene.wedding, "fire", "An exercise", by="eva", drill=True)

    real = real or scene.report()
    assert whom(live(event=real)) == everybody(scene)
    assert Incident.objects.filter(wedding=scene.wedding).count() == 2


def test_the_couple_is_informed_and_those_who_are_called_are_asked(scene: Scene) -> None:
    event = scene.report()

    asked = whom([row for row in live(event=event) if escalation.asks(row, scene.incident)])

    assert asked == everybody(scene) - {("Anna", "whatsapp"), ("Anna", "email")}


def test_what_tells_of_an_incident_of_others_is_told_to_nobody(scene: Scene) -> None:
    scene.report()
    forged = ChannelEvent(
        organization=OrganizationFactory(), type=opening.RESOLVED, payload={"incident_id": str(scene.incident.id)}
    )

    assert opening.telling(forged).only == frozenset()


def test_no_vendor_may_send_what_is_ours() -> None:
    for vendor in VENDORS.values():
        for name in ("incident.resolved", "incident.acknowledged", "incident.drill_started"):
            assert vendor.event_type(name) is None


def test_what_it_says_stands_in_the_trace(scene: Scene) -> None:
    event, again = scene.report(), scene.report()

    assert "opened an incident" in TraceEntry.objects.get(event=event, what="joined").text
    assert "nothing new" in TraceEntry.objects.get(event=again, what="joined").text


def test_an_emergency_about_no_wedding_opens_nothing(django_assert_num_queries: Any) -> None:
    event = ChannelEvent(type=opening.REPORTED, wedding=None)

    with django_assert_num_queries(0):
        opening.take_report(event)
    assert WeddingFactory().incidents.count() == 0
