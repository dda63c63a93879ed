"""Nobody acknowledges: the second contact, then the team, until somebody does or the plan ends."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.deliveries import state_changes
from integrations.models import Alert, Delivery
from integrations.routing.route_event import route
from integrations.states import State
from notifications import links
from notifications.channels import subjects
from notifications.incidents import acknowledging, escalation, opening, staff_actions
from notifications.models import Incident, Plan, TraceEntry
from notifications.wording import write
from tests.at_once import at_once
from tests.factories import ContactFactory
from tests.notifications.incidents.incident_scene import Scene, due_now, live, make_scene, whom
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Contact

STAFF = ("owner@people.example", "email")
DORA = {("Dora", "whatsapp"), ("Dora", "email")}


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
    assert step(scene) == DORA


def test_first_the_second_contact_then_the_team_three_times_then_staff_are_alerted(scene: Scene) -> None:
    scene.report()

    assert step(scene) == DORA
    for _ in range(3):
        assert step(scene) == {(str(scene.team.id), "slack"), ("Clara", "whatsapp"), ("Clara", "email")}
    assert not Alert.objects.exists()
    assert step(scene) == set()

    alert = Alert.objects.get(cause="unanswered")
    assert alert.about == str(scene.incident.id)
    assert scene.incident.next_step_at is None
    assert TraceEntry.objects.filter(what="escalated").count() == 4


def test_a_report_that_said_nothing_is_told_again_by_what_has_been_reported_since(scene: Scene) -> None:
    first = scene.report(kind="", description="", reported_by="")
    scene.report(kind="fire", description="Smoke in the cellar", contact_phone="+12025550104")
    scene.report(kind="", description="", reported_by="")

    assert step(scene) == DORA

    again = write(subjects.of(Delivery.objects.get(event=first, plan_step=101, channel="email"))).text
    assert "Smoke in the cellar" in again
    assert "not given" not in again
    told = write(subjects.of(Delivery.objects.filter(event=first, plan_step=0, channel="email")[0])).text
    assert "What happened: not given" in told


def test_who_can_not_be_reached_is_passed_over_at_once(scene: Scene) -> None:
    Contact.objects.filter(id=scene.dora.id).update(phone="", email="")
    scene.report()

    reached = step(scene)

    assert (str(scene.team.id), "slack") in reached
    assert not DORA & reached


def test_a_first_step_that_reaches_nobody_does_not_wait(scene: Scene) -> None:
    scene.wedding.organization.routes.update(active=False)
    scene.wedding.organization.routes.filter(everyone=True).update(active=True, everyone=False, roles=["couple"])
    Contact.objects.filter(id=scene.anna.id).update(phone="", email="")

    scene.report()

    assert escalation.escalate_due() == 1
    assert whom(live()) == DORA


def test_an_emergency_that_reaches_nobody_escalates_at_once(scene: Scene) -> None:
    scene.wedding.organization.routes.all().delete()
    scene.report()

    assert escalation.escalate_due() == 1
    assert whom(live()) == DORA


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


def test_an_organization_has_a_plan_of_its_own(scene: Scene) -> None:
    steps = [
        {"channels": ["whatsapp"], "until": "acknowledged"},
        {"channels": ["email"], "after": 30, "until": "acknowledged", "audience": "first"},
    ]
    Plan.objects.create(organization=scene.wedding.organization, category="emergencies", steps=steps)
    scene.report()

    assert scene.incident.next_step_at
    assert 25 < (scene.incident.next_step_at - timezone.now()).total_seconds() <= 30
    assert step(scene) == {("Clara", "email")}
    assert step(scene) == set()
    assert Alert.objects.filter(cause="unanswered").exists()


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


def test_an_acknowledgement_by_what_a_message_carried_stops_all_and_calls_off_what_waits(scene: Scene) -> None:
    event = scene.report()
    step(scene)
    mine = Delivery.objects.get(contact=scene.dora, channel="whatsapp", event=event, plan_step=0)

    answer = acknowledging.acknowledge(links.acknowledge_token(mine.id), by="Dora", via="WhatsApp")
    again = acknowledging.acknowledge(links.acknowledge_token(mine.id), by="Clara", via="Slack")

    assert (answer.already, again.already, again.incident.acknowledged_by) == (False, True, "Dora")
    later = Delivery.objects.filter(plan_step__gt=0)
    assert {(row.state, row.state_reason) for row in later} == {("cancelled", "acknowledged")}
    assert {row.state for row in Delivery.objects.filter(event=event, plan_step=0)} == {"pending"}
    assert scene.incident.next_step_at is None
    assert ChannelEvent.objects.get(type="incident.acknowledged").payload["by"] == "Dora"


def test_a_token_of_another_organization_or_of_no_emergency_is_none(scene: Scene) -> None:
    event = scene.report()
    delivery = Delivery.objects.filter(event=event).first()
    assert delivery
    token = links.acknowledge_token(delivery.id)

    with pytest.raises(links.BadLink):
        acknowledging.acknowledge(token, by="x", via="Slack", organization_id=make_scene().wedding.organization_id)
    with pytest.raises(links.BadLink):
        acknowledging.acknowledge(token[:-1] + "x", by="x", via="Slack")
    with pytest.raises(links.BadLink):
        acknowledging.acknowledge(links.unsubscribe_token(delivery.id), by="x", via="Slack")
    assert Incident.objects.get().state == "open"


@pytest.mark.django_db(transaction=True)
def test_of_many_sweeps_at_once_one_takes_the_step() -> None:
    scene = make_scene()
    scene.report()
    due_now(scene.incident)

    taken = at_once(4, lambda _: escalation.escalate_due())

    assert sum(taken) == 1
    assert whom(live(plan_step__gte=opening.FIRST_ESCALATION)) == {("Dora", "whatsapp"), ("Dora", "email")}


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


@pytest.mark.django_db(transaction=True)
def test_an_acknowledgement_waits_for_a_step_that_is_being_taken_and_calls_it_off() -> None:
    scene = make_scene()
    event = scene.report()
    incident = scene.incident
    due_now(incident)
    began, result = threading.Event(), []

    def acknowledge() -> None:
        began.set()
        try:
            result.append(acknowledging.acknowledge_incident(incident, by="Tom", via="test"))
        finally:
            connection.close()

    thread = threading.Thread(target=acknowledge)
    with transaction.atomic():
        assert escalation.escalate(incident.id)
        thread.start()
        began.wait()
        thread.join(0.3)
        assert not result, "it waits for the row"
    thread.join()

    assert [answer.already for answer in result] == [False]
    assert {row.state for row in Delivery.objects.filter(event=event, plan_step__gt=0)} == {"cancelled"}


def test_what_is_in_flight_is_not_called_back(scene: Scene) -> None:
    event = scene.report()
    step(scene)
    flying = Delivery.objects.filter(event=event, plan_step__gt=0).first()
    assert flying
    state_changes.change(
        Delivery.objects.filter(id=flying.id), State.IN_FLIGHT, lease_token=flying.id, lease_until=timezone.now()
    )

    acknowledging.acknowledge_incident(Incident.objects.get(), by="Tom", via="test")

    flying.refresh_from_db()
    assert flying.state == "in_flight"


def test_looking_for_what_is_due_asks_once_where_nothing_is(scene: Scene) -> None:
    scene.report()

    with CaptureQueriesContext(connection) as queries:
        escalation.escalate_due()

    assert len(queries) == 1
