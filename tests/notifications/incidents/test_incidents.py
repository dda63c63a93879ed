"""An emergency opens an incident, reports join it, staff raise, resolve and drill."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.models import Delivery
from integrations.routing.route_event import route
from notifications.incidents import escalation, late_reports, opening, staff_actions
from notifications.models import Incident, IncidentReport, TraceEntry
from tests.factories import WeddingFactory
from tests.notifications.incidents.emergencies import Stage, set_stage
from wedsync.live.models import ChannelEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    return set_stage()


def told(event: ChannelEvent) -> set[tuple[str, str]]:
    rows = Delivery.objects.filter(event=event).exclude(state__in=["skipped", "cancelled"])
    return set(rows.values_list("channel", "target"))


def pause_is_over(incident: Incident) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Incident.objects.filter(id=incident.id).update(told_at=past - timedelta(seconds=121), update_due_at=past)


def test_a_report_opens_one_incident_and_tells_everyone_by_every_way(stage: Stage) -> None:
    event = stage.report()

    incident = Incident.objects.get()
    assert (incident.state, incident.event, incident.wedding, incident.kind) == (
        "open", event, stage.wedding, "power_outage",
    )  # fmt: skip
    people = [stage.clara, stage.tom, stage.anna]
    assert told(event) == {
        *(("whatsapp", each.phone) for each in people),
        *(("email", each.email) for each in people),
        ("slack", str(stage.team.id)),
    }
    assert incident.next_step_at
    assert 55 < (incident.next_step_at - timezone.now()).total_seconds() <= 60


def test_a_sensor_that_says_the_same_fifty_times_tells_everyone_once(stage: Stage) -> None:
    first = stage.report()

    others = [stage.report() for _ in range(50)]

    assert Incident.objects.count() == 1
    assert IncidentReport.objects.count() == 51
    assert told(first)
    assert not Delivery.objects.filter(event__in=others).exists()
    assert late_reports.tell_updates() == 0


def test_new_words_reach_those_already_alerted_once_the_pause_is_over_and_only_the_newest(stage: Stage) -> None:
    first = stage.report()
    reports = [stage.report(f"Floor {number} is dark") for number in range(5)]
    assert not Delivery.objects.filter(event__in=reports).exists()
    assert late_reports.tell_updates() == 0
    pause_is_over(Incident.objects.get())

    assert late_reports.tell_updates() == 1

    assert told(reports[-1]) == told(first)
    assert not Delivery.objects.filter(event__in=reports[:-1]).exists()
    assert late_reports.tell_updates() == 0


def test_a_report_after_the_pause_is_told_at_once_but_to_nobody_new(stage: Stage) -> None:
    stage.report()
    alerted = told(ChannelEvent.objects.get(type="venue.emergency_reported"))
    Incident.objects.update(told_at=timezone.now() - timedelta(seconds=121))
    from tests.notifications.incidents.emergencies import _person

    newcomer = _person(stage.wedding, "Late Guest", "vendor", None)

    event = stage.report("The lights are back in the kitchen")

    assert told(event) == alerted
    assert ("whatsapp", newcomer.phone) not in told(event)


def test_another_wedding_has_an_incident_of_its_own(stage: Stage) -> None:
    stage.report()
    other = set_stage()
    other.report()

    assert Incident.objects.count() == 2


def test_routing_again_changes_no_incident(stage: Stage) -> None:
    from integrations.routing.route_event import route_again

    event = stage.report()
    before = list(Incident.objects.values())

    assert route_again(event.id) == 0
    assert list(Incident.objects.values()) == before


def test_staff_resolve_it_and_everyone_who_was_alerted_hears_so_once(stage: Stage) -> None:
    event = stage.report()
    incident = Incident.objects.get()
    Delivery.objects.filter(event=event).update(state="succeeded")

    assert staff_actions.resolve(incident, by="ines")
    assert not staff_actions.resolve(incident, by="somebody")

    clear = ChannelEvent.objects.get(type="incident.resolved")
    route(clear.id)
    assert told(clear) == told(event)
    assert {row.priority for row in Delivery.objects.filter(event=clear)} == {"urgent"}
    incident.refresh_from_db()
    assert (incident.state, incident.resolved_by, incident.next_step_at) == ("resolved", "ines", None)


def test_whom_the_emergency_has_not_reached_by_its_end_gets_neither_it_nor_the_all_clear(stage: Stage) -> None:
    event = stage.report()
    waiting = Delivery.objects.filter(event=event, contact=stage.anna)
    Delivery.objects.filter(event=event).exclude(id__in=waiting).update(state="succeeded")

    staff_actions.resolve(Incident.objects.get(), by="ines")

    assert {(row.state, row.state_reason) for row in waiting} == {("cancelled", "acknowledged")}
    clear = ChannelEvent.objects.get(type="incident.resolved")
    assert told(clear) == told(event)
    assert not Delivery.objects.filter(event=clear, contact=stage.anna).exists()


def test_after_the_all_clear_a_new_report_opens_a_new_incident(stage: Stage) -> None:
    stage.report()
    staff_actions.resolve(Incident.objects.get(), by="ines")

    event = stage.report()

    assert Incident.objects.filter(state="open").get().event == event
    assert told(event)


def test_staff_raise_one_by_hand_through_the_ordinary_routes(stage: Stage) -> None:
    event = staff_actions.raise_emergency(stage.wedding, "storm", "It hails", by="ines")
    route(event.id)

    assert event.priority == "urgent"
    assert Incident.objects.get().opened_by == "ines"
    assert ("whatsapp", stage.anna.phone) in told(event)


def test_a_drill_reaches_staff_only_and_does_not_stand_in_the_way_of_a_real_one(stage: Stage) -> None:
    event = staff_actions.raise_emergency(stage.wedding, "fire", "An exercise", by="ines", drill=True)
    route(event.id)

    assert told(event) == {("slack", str(stage.team.id)), ("email", "owner@people.example")}
    assert Incident.objects.get().drill
    with pytest.raises(staff_actions.AlreadyOpen, match="under way"):
        staff_actions.raise_emergency(stage.wedding, "fire", "Again", by="ines", drill=True)
    real = stage.report()
    assert ("whatsapp", stage.anna.phone) in told(real)

    staff_actions.resolve(Incident.objects.get(drill=True), by="ines")

    clear = ChannelEvent.objects.get(type="incident.resolved")
    route(clear.id)
    assert told(clear) == told(event)


def test_the_couple_is_informed_and_those_who_are_called_are_asked(stage: Stage) -> None:
    event = stage.report()
    incident = Incident.objects.get()

    asked = {
        str(row.contact.name if row.contact else row.channel)
        for row in Delivery.objects.filter(event=event).select_related("contact")
        if escalation.asks(row, incident)
    }

    assert asked == {"Clara Moser", "Tom Berger", "slack"}


def test_no_vendor_may_send_what_is_ours() -> None:
    from integrations.vendors import VENDORS

    for vendor in VENDORS.values():
        for name in ("incident.resolved", "incident.acknowledged", "incident.drill_started"):
            assert vendor.event_type(name) is None


def test_what_it_says_stands_in_the_trace(stage: Stage) -> None:
    event, again = stage.report(), stage.report()

    assert "opened an incident" in TraceEntry.objects.get(event=event, what="joined").text
    assert "nothing new" in TraceEntry.objects.get(event=again, what="joined").text


def test_an_emergency_about_no_wedding_opens_nothing(stage: Stage, django_assert_num_queries: Any) -> None:
    event = ChannelEvent(type="venue.emergency_reported", wedding=None)

    with django_assert_num_queries(0):
        opening.take_report(event)
    assert WeddingFactory().incidents.count() == 0
