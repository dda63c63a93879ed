"""An emergency opens an incident of its wedding, further reports join it, its end is told to all who were alerted."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from integrations.models import Delivery
from integrations.routing.route_event import route
from integrations.states import Reason, State
from notifications.channels import subjects
from notifications.incidents import late_reports, opening, staff_actions
from notifications.models import Incident, IncidentReport
from notifications.recipients import staff
from notifications.wording import write
from tests.at_once import at_once
from tests.factories import OrganizationFactory, RouteFactory
from tests.notifications.incidents.incident_scene import OUTAGE, Scene, live, make_scene, whom
from tests.notifications.stored import stored
from wedsync.live.models import ChannelEntry, ChannelEvent

EVERYONE = {(name, channel) for name in ("Clara", "Dora", "Anna") for channel in ("whatsapp", "email")}


@pytest.fixture
def scene(db: None) -> Scene:
    return make_scene()


def everybody(scene: Scene) -> set[tuple[str, str]]:
    return EVERYONE | {(str(scene.team.id), "slack")}


def pause_is_over(scene: Scene) -> None:
    long_ago = Now() - timedelta(hours=1)
    Incident.objects.filter(wedding=scene.wedding).update(told_at=long_ago)
    Incident.objects.filter(wedding=scene.wedding, update_due_at__isnull=False).update(update_due_at=long_ago)


def test_a_flapping_sensor_alerts_everyone_once(scene: Scene) -> None:
    first = scene.report()

    later = [scene.report(description=f"  the hall IS {'dark ' * (number % 2 or 1)}").id for number in range(49)]
    pause_is_over(scene)
    late_reports.tell_updates()

    assert IncidentReport.objects.filter(incident=scene.incident).count() == 50
    assert whom(live(event=first)) == everybody(scene)
    assert live(event__in=later) == []


def test_reports_that_always_say_something_new_are_told_once_in_a_pause(scene: Scene) -> None:
    scene.report()
    events = [scene.report(description=f"{number} °C") for number in range(49)]
    assert live(event__in=events) == []
    assert late_reports.tell_updates() == 0, "the pause is not over"

    pause_is_over(scene)
    assert late_reports.tell_updates() == 1
    assert late_reports.tell_updates() == 0

    assert whom(live(event=events[-1])) == everybody(scene)
    assert live(event__in=events[:-1]) == []


def test_what_came_too_early_is_told_with_the_newest(scene: Scene) -> None:
    """Two emergencies of one wedding within the pause, such as those that a paused connection had held."""
    scene.report()
    for said in ("A guest has collapsed", "a guest  has collapsed", "The hall is dark", "The lift is stuck"):
        scene.report(description=said)
    last = scene.report(description="Now it burns")
    pause_is_over(scene)
    late_reports.tell_updates()

    for delivery in live(event=last):
        lines = write(subjects.of(delivery)).text.splitlines()
        assert [line for line in lines if line.startswith("Also reported")] == [
            "Also reported: power outage: a guest has collapsed",
            "Also reported: power outage: The lift is stuck",
        ]
    pause_is_over(scene)
    later = scene.report(description="It is over")
    assert "Also reported" not in write(subjects.of(live(event=later)[0])).text, "those have been told"


def test_new_words_after_the_pause_reach_only_those_who_know(scene: Scene) -> None:
    scene.report()
    Delivery.objects.filter(contact=scene.anna).update(state=State.SKIPPED, state_reason=Reason.OPTED_OUT)
    pause_is_over(scene)

    second = scene.report(description="Now it burns")

    assert whom(live(event=second)) == everybody(scene) - {("Anna", "whatsapp"), ("Anna", "email")}


def test_what_was_never_told_is_told_when_it_comes_again(scene: Scene) -> None:
    scene.report()
    scene.report(description="Smoke in the kitchen")
    scene.report(description="Fire in the kitchen")
    pause_is_over(scene)
    late_reports.tell_updates()
    pause_is_over(scene)

    again = scene.report(description="Smoke in the kitchen")

    assert whom(live(event=again)) == everybody(scene)


@pytest.mark.parametrize("written", [{"description": "Fire"}, {}], ids=["new", "the same"])
def test_the_dry_run_changes_nothing(scene: Scene, written: dict[str, str]) -> None:
    scene.report()
    pause_is_over(scene)
    event = ChannelEvent(
        organization=scene.wedding.organization, wedding=scene.wedding, type=opening.REPORTED,
        payload=OUTAGE | written, priority="urgent",
    )  # fmt: skip

    telling = opening.telling(event)

    assert telling.only is not None
    assert len(telling.only) == len(everybody(scene))
    assert IncidentReport.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_reports_at_once_one_opens_and_the_others_join() -> None:
    scene = make_scene()
    events = [stored(scene.wedding, opening.REPORTED, OUTAGE) for _ in range(6)]

    at_once(6, lambda number: route(events[number].id))

    assert IncidentReport.objects.filter(incident=scene.incident).count() == 6
    assert whom(live()) == everybody(scene)
    assert len(live()) == len(everybody(scene)), "each is told once"


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


@pytest.mark.django_db(transaction=True)
def test_of_many_who_resolve_at_once_one_gives_the_all_clear() -> None:
    scene = make_scene()
    scene.report()

    done = at_once(5, lambda number: staff_actions.resolve(scene.incident, by=f"staff {number}"))

    assert sorted(done) == [False] * 4 + [True]
    assert ChannelEvent.objects.filter(type=opening.RESOLVED).count() == 1


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


def test_a_wedding_has_one_drill_at_a_time_beside_its_emergency(scene: Scene) -> None:
    scene.report()
    staff_actions.raise_emergency(scene.wedding, "fire", "An exercise", by="eva", drill=True)

    with pytest.raises(staff_actions.AlreadyOpen, match="under way"):
        staff_actions.raise_emergency(scene.wedding, "fire", "An exercise", by="eva", drill=True)

    assert Incident.objects.filter(wedding=scene.wedding).count() == 2


def test_what_tells_of_an_incident_of_others_is_told_to_nobody(scene: Scene) -> None:
    scene.report()
    forged = ChannelEvent(
        organization=OrganizationFactory(), type=opening.RESOLVED, payload={"incident_id": str(scene.incident.id)}
    )

    assert opening.telling(forged).only == frozenset()
