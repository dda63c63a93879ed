"""Nobody acknowledges: the next is told, then the team, until somebody does or the plan ends."""

import threading
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction
from django.utils import timezone

from integrations.deliveries import state_changes
from integrations.models import Alert, Delivery
from integrations.states import State
from notifications import links
from notifications.channels import subjects
from notifications.incidents import acknowledging, escalation, opening
from notifications.models import Incident, Plan, TraceEntry
from notifications.wording import write
from tests.at_once import at_once
from tests.notifications.incidents.emergencies import Stage, set_stage
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Contact


@pytest.fixture
def stage(db: None) -> Stage:
    return set_stage()


def time_passes(seconds: float = 61) -> int:
    """As the sweep sees it so many seconds later."""
    waiting = Incident.objects.filter(next_step_at__isnull=False)
    for incident in waiting:
        Incident.objects.filter(id=incident.id).update(next_step_at=incident.next_step_at - timedelta(seconds=seconds))
    return escalation.escalate_due()


def escalated(step: int) -> set[tuple[str, str]]:
    rows = Delivery.objects.filter(plan_step=opening.FIRST_ESCALATION + step)
    return set(rows.values_list("channel", "target"))


def test_before_its_time_nothing_happens(stage: Stage) -> None:
    stage.report()

    assert escalation.escalate_due() == 0
    assert time_passes(55) == 0


def test_first_the_second_contact_then_the_team_three_times_then_staff_are_alerted(stage: Stage) -> None:
    stage.report()

    assert time_passes() == 1
    assert escalated(1) == {("whatsapp", stage.tom.phone), ("email", stage.tom.email)}
    for step in (2, 3, 4):
        assert time_passes() == 1
        assert escalated(step) == {
            ("slack", str(stage.team.id)),
            ("whatsapp", stage.clara.phone),
            ("email", stage.clara.email),
        }
    assert not Alert.objects.exists()
    assert time_passes() == 1

    alert = Alert.objects.get(cause="unanswered")
    assert alert.about == str(Incident.objects.get().id)
    assert time_passes() == 0
    assert TraceEntry.objects.filter(what="escalated").count() == 4


def test_a_report_that_said_nothing_is_told_again_by_what_has_been_reported_since(stage: Stage) -> None:
    first = stage.report("", kind="", reported_by="")
    stage.report("Smoke in the cellar", kind="fire", contact_phone="+12025550104")
    stage.report("", kind="", reported_by="")

    assert time_passes() == 1

    again = write(subjects.of(Delivery.objects.get(event=first, plan_step=101, channel="email"))).text
    assert "Smoke in the cellar" in again
    assert "not given" not in again
    told = write(subjects.of(Delivery.objects.filter(event=first, plan_step=0, channel="email")[0])).text
    assert "What happened: not given" in told


def test_who_can_not_be_reached_is_passed_over_at_once(stage: Stage) -> None:
    Contact.objects.filter(id=stage.tom.id).update(phone="", email="")
    stage.report()

    assert time_passes() == 1

    assert not escalated(1)
    assert ("slack", str(stage.team.id)) in escalated(2)


def test_a_first_step_that_reaches_nobody_does_not_wait(stage: Stage) -> None:
    stage.wedding.organization.routes.update(active=False)
    stage.wedding.organization.routes.filter(name="Everyone").update(active=True, everyone=False, roles=["couple"])
    Contact.objects.filter(id=stage.anna.id).update(phone="", email="")

    stage.report()

    assert escalation.escalate_due() == 1
    assert ("whatsapp", stage.tom.phone) in escalated(1)


def test_an_organization_has_a_plan_of_its_own(stage: Stage) -> None:
    steps = [
        {"channels": ["whatsapp"], "until": "acknowledged"},
        {"channels": ["email"], "after": 30, "until": "acknowledged", "audience": "first"},
    ]
    Plan.objects.create(organization=stage.wedding.organization, category="emergencies", steps=steps)
    stage.report()

    assert time_passes(31) == 1
    assert escalated(1) == {("email", stage.clara.email)}
    assert time_passes(31) == 1
    assert Alert.objects.filter(cause="unanswered").exists()


def test_an_acknowledgement_by_what_a_message_carried_stops_all_and_calls_off_what_waits(stage: Stage) -> None:
    event = stage.report()
    time_passes()
    mine = Delivery.objects.get(contact=stage.tom, channel="whatsapp", event=event, plan_step=0)

    answer = acknowledging.acknowledge(links.acknowledge_token(mine.id), by="Tom Berger", via="WhatsApp")
    again = acknowledging.acknowledge(links.acknowledge_token(mine.id), by="Clara", via="Slack")

    assert (answer.already, again.already, again.incident.acknowledged_by) == (False, True, "Tom Berger")
    later = Delivery.objects.filter(plan_step__gt=0)
    assert {(row.state, row.state_reason) for row in later} == {("cancelled", "acknowledged")}
    assert {row.state for row in Delivery.objects.filter(event=event, plan_step=0)} == {"pending"}
    assert time_passes() == 0
    assert ChannelEvent.objects.get(type="incident.acknowledged").payload["by"] == "Tom Berger"


def test_a_token_of_another_organization_or_of_no_emergency_is_none(stage: Stage) -> None:
    event = stage.report()
    delivery = Delivery.objects.filter(event=event).first()
    assert delivery
    token = links.acknowledge_token(delivery.id)

    with pytest.raises(links.BadLink):
        acknowledging.acknowledge(token, by="x", via="Slack", organization_id=set_stage().wedding.organization_id)
    with pytest.raises(links.BadLink):
        acknowledging.acknowledge(token[:-1] + "x", by="x", via="Slack")
    with pytest.raises(links.BadLink):
        acknowledging.acknowledge(links.unsubscribe_token(delivery.id), by="x", via="Slack")
    assert Incident.objects.get().state == "open"


def test_a_link_expires_after_a_day(stage: Stage) -> None:
    event = stage.report()
    delivery = Delivery.objects.filter(event=event).first()
    assert delivery
    Incident.objects.update(opened_at=timezone.now() - timedelta(hours=25))

    with pytest.raises(acknowledging.TooLate):
        acknowledging.acknowledge(links.acknowledge_token(delivery.id), by="x", via="email")


@pytest.mark.django_db(transaction=True)
def test_of_many_sweeps_at_once_one_takes_the_step() -> None:
    stage = set_stage()
    stage.report()
    Incident.objects.update(next_step_at=timezone.now() - timedelta(seconds=1))

    taken = at_once(4, lambda _: escalation.escalate_due())

    assert sum(taken) == 1
    assert len(escalated(1)) == 2


@pytest.mark.django_db(transaction=True)
def test_whichever_comes_first_of_timer_and_acknowledgement_nothing_waits_in_the_end() -> None:
    for _ in range(6):
        stage = set_stage()
        event = stage.report()
        incident = Incident.objects.get(event=event)
        Incident.objects.filter(id=incident.id).update(next_step_at=timezone.now() - timedelta(seconds=1))
        works = [
            partial(acknowledging.acknowledge_incident, incident, by="Tom", via="test"),
            partial(escalation.escalate, incident.id),
        ]
        at_once(2, lambda number, works=works: works[number]())

        incident.refresh_from_db()
        assert (incident.state, incident.next_step_at) == ("acknowledged", None)
        later = Delivery.objects.filter(event=event, plan_step__gt=0)
        assert {row.state for row in later} <= {"cancelled"}


@pytest.mark.django_db(transaction=True)
def test_an_acknowledgement_waits_for_a_step_that_is_being_taken_and_calls_it_off() -> None:
    stage = set_stage()
    event = stage.report()
    incident = Incident.objects.get()
    Incident.objects.update(next_step_at=timezone.now() - timedelta(seconds=1))
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


def test_what_is_in_flight_is_not_called_back(stage: Stage) -> None:
    event = stage.report()
    time_passes()
    flying = Delivery.objects.filter(event=event, plan_step__gt=0).first()
    assert flying
    state_changes.change(
        Delivery.objects.filter(id=flying.id), State.IN_FLIGHT, lease_token=flying.id, lease_until=timezone.now()
    )

    acknowledging.acknowledge_incident(Incident.objects.get(), by="Tom", via="test")

    flying.refresh_from_db()
    assert flying.state == "in_flight"
