"""Nobody acknowledges: the second contact, then the team, until somebody does or the plan ends."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations.models import Alert
from integrations.routing.route_event import route
from notifications.incidents import acknowledging, escalation, opening, staff_actions
from notifications.models import Incident, Plan
from tests.at_once import at_once
from tests.factories import ContactFactory
from tests.notifications.incidents.incident_scene import Scene, due_now, live, make_scene, whom

STAFF = ("owner@people.example", "email")


@pytest.fixture
def scene(db: None) -> Scene:
    return make_scene()


def step(scene: Scene) -> set[tuple[str, str]]:
    """Whom the next step reaches."""
    before = {each.id for each in live()}
    due_now(scene.incident)
    escalation.escalate_due()
    return whom([each for each in live() if each.id not in before])


def test_the_second_contact_is_called_after_the_pace_of_the_plan(scene: Scene, settings: Any) -> None:
    settings.ESCALATION_SECONDS = 60
    scene.report()
    incident = scene.incident

    assert incident.next_step_at
    assert timedelta(seconds=58) < incident.next_step_at - incident.event.received_at < timedelta(seconds=62)
    assert escalation.escalate_due() == 0, "it is not time yet"
    assert step(scene) == {("Dora", "whatsapp"), ("Dora", "email")}


def test_without_a_call_order_the_coordinators_are_called(scene: Scene) -> None:
    for person in (scene.clara, scene.dora):
        person.call_order = None
        person.save()
    organization = scene.wedding.organization
    ContactFactory(organization=organization, wedding=scene.wedding, name="Carl", role="coordinator", phone="")
    scene.report()

    assert step(scene) == {("Carl", "email")}


def test_with_neither_team_nor_coordinator_staff_are_told_by_mail(scene: Scene) -> None:
    scene.clara.delete()
    scene.dora.delete()
    scene.team.routes.all().delete()
    scene.report()

    assert step(scene) == {STAFF}


def test_an_emergency_that_reaches_nobody_escalates_at_once(scene: Scene) -> None:
    scene.wedding.organization.routes.all().delete()
    scene.report()

    assert escalation.escalate_due() == 1
    assert whom(live()) == {("Dora", "whatsapp"), ("Dora", "email")}


def test_a_plan_of_many_repetitions_is_taken_to_its_end(scene: Scene) -> None:
    Plan.objects.create(
        organization=scene.wedding.organization,
        category="emergencies",
        steps=[
            {"channels": ["email"], "until": "acknowledged"},
            {"channels": ["email"], "after": 5, "audience": "second", "repeat": 14},
        ],
    )
    scene.report()

    assert [step(scene) for _ in range(14)] == [{("Dora", "email")}] * 14
    assert step(scene) == set()
    assert Alert.objects.filter(cause="unanswered").count() == 1


def test_a_drill_escalates_to_staff_only(scene: Scene) -> None:
    event = staff_actions.raise_emergency(scene.wedding, "fire", "An exercise", by="eva", drill=True)
    route(event.id)

    reached = [step(scene) for _ in range(4)]

    assert reached == [{(str(scene.team.id), "slack"), STAFF}] * 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_again", range(4))
def test_whoever_wins_the_race_nothing_is_sent_after_an_acknowledgement(_again: int) -> None:
    scene = make_scene()
    scene.report()
    due_now(scene.incident)
    incident = scene.incident

    def one(number: int) -> object:
        if number % 2:
            return escalation.escalate_due()
        return acknowledging.acknowledge_incident(Incident.objects.get(id=incident.id), by="Clara", via="email").already

    answers = at_once(4, one)

    assert sorted(answers[::2], key=bool) == [False, True], "one has acknowledged, the other learns it"
    assert scene.incident.next_step_at is None
    assert scene.incident.acknowledged_by == "Clara"
    assert live(plan_step__gte=opening.FIRST_ESCALATION) == []


def test_looking_for_what_is_due_asks_once_where_nothing_is(scene: Scene) -> None:
    scene.report()

    with CaptureQueriesContext(connection) as queries:
        escalation.escalate_due()

    assert len(queries) == 1
