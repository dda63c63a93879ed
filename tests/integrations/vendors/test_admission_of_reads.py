"""Admission to a system, for deliveries and for reads, and what each means for the other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from integrations import admission
from integrations.admission import BreakerEffect, BreakerState, CallResult, lane_of
from integrations.errors import ServerError, Throttled
from integrations.models import ClientSync, Delivery, System
from integrations.remote_reads import availability, client_sync
from integrations.sending import dispatch
from integrations.system_channel.sender import SystemSender
from integrations.vendors import CALLED, VENDORS
from tests.factories import ContactFactory, DeliveryFactory, EventFactory
from tests.integrations.conftest import Told
from wedsync.ids import new_id

Tell = Callable[..., Told]
VENUES = [slug for slug, called in CALLED.items() if called.tells_availability]
CRMS = [slug for slug, called in CALLED.items() if called.lists_clients]
DAY = dt.date(2027, 6, 19)
FROZEN = {"method": "POST", "path": "/bookings", "body": "{}", "headers": {}}
pytestmark = pytest.mark.django_db


def due(system: System, **rest: Any) -> Delivery:
    """Due now, and frozen."""
    past = timezone.now() - timedelta(seconds=1)
    made: Delivery = DeliveryFactory(
        organization=system.organization, system=system, next_attempt_at=past, request=FROZEN, **rest
    )
    return made


def serve(delivery: Delivery) -> Delivery:
    with suppress(dispatch.TryAgain):
        dispatch.serve(delivery.id, delivery.system_id, urgent=delivery.priority == "urgent")
    delivery.refresh_from_db()
    return delivery


def calls(there: Told) -> int:
    return int(there.peer.request_log(there.system.kind)["counts"].get("total", 0))


def trip(system: System) -> None:
    lane = lane_of(system)
    while not (permit := admission.ask(lane, urgent=False)).granted or (
        admission.report(lane, permit, CallResult.FAILED, delivery_id=new_id(), alone=False) != BreakerEffect.OPENED
    ):
        assert permit.granted


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("slug", VENDORS)
@pytest.mark.parametrize("priority", ["low", "normal", "high", "urgent"])
def test_nothing_that_comes_due_later_calls_a_system_before_the_end_that_it_named(
    slug: str, priority: str, told: Tell
) -> None:
    there = told(slug)
    there.peer.fault(slug, "status", status=429, retry_after=600)
    serve(due(there.system))
    asked = calls(there)

    later = serve(due(there.system, priority=priority))

    assert (asked, calls(there)) == (1, 1)
    assert (later.state, later.state_reason, later.attempt_count) == ("held", "throttled", 0)
    assert later.next_attempt_at > timezone.now() + timedelta(seconds=590)


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_names_no_end_holds_nothing_that_comes_later(told: Tell, settings: Settings) -> None:
    settings.RETRY_QUICK_SECONDS = (600.0,) * 4  # so that the first is not due again meanwhile
    there = told("studio_cloud")
    there.peer.fault("studio_cloud", "status", status=429, count=1)
    serve(due(there.system))

    serve(due(there.system))

    assert calls(there) == 2


@pytest.mark.django_db(transaction=True)
def test_a_question_is_not_asked_while_the_system_wants_to_be_left_alone(told: Tell) -> None:
    there = told("venue_master")
    there.peer.fault("venue_master", "status", status=429, retry_after=600)
    with pytest.raises(Throttled, match="answered 429"):
        availability.check(there.system, DAY, 100)

    with pytest.raises(Throttled, match="not asked: it has asked us to pause; try again in 600 s"):
        availability.check(there.system, DAY, 100)

    assert calls(there) == 1
    assert serve(due(there.system)).state_reason == "throttled", "a delivery keeps what a question was told"


@pytest.mark.parametrize("slug", VENUES)
def test_an_open_breaker_keeps_questions_away_too(slug: str, told: Tell) -> None:
    there = told(slug)
    trip(there.system)

    with pytest.raises(Throttled, match="kept failing"):
        availability.check(there.system, DAY, 100)

    assert calls(there) == 0


@pytest.mark.parametrize("slug", CRMS)
def test_the_sync_of_clients_says_why_it_did_not_ask_and_keeps_its_place(slug: str, told: Tell) -> None:
    there = told(slug)
    ClientSync.objects.create(organization=there.system.organization, system=there.system, cursor="page-7")
    trip(there.system)

    row = client_sync.sync(there.system)

    assert row.error.startswith("not asked: calls to it kept failing")
    assert (row.cursor, calls(there)) == ("page-7", 0)


def test_a_question_that_fails_again_and_again_closes_the_way_for_nobody_else(told: Tell) -> None:
    there = told("venue_master")
    there.peer.fault("venue_master", "status", status=500)

    for _ in range(7):
        with pytest.raises(ServerError):
            availability.check(there.system, DAY, 100)

    view = admission.look([lane_of(there.system)])[str(there.system.id)]
    assert (view.state, view.failures, view.in_flight) == (BreakerState.CLOSED, 7, 0)


def test_a_question_waits_for_a_token_within_its_time(told: Tell) -> None:
    there = told("venue_master", rate_per_second=2, rate_burst=1)

    for _ in range(3):
        assert availability.check(there.system, DAY, 100).available

    there.system.rate_per_second = 0.001
    availability.check(there.system, DAY, 100)
    with pytest.raises(Throttled, match="its rate of calls is used up"):
        availability.check(there.system, DAY, 100)


@pytest.mark.parametrize("limits", [{"call_limit": 1}, {"rate_per_second": 0.01, "rate_burst": 1}])
def test_a_delivery_that_has_leave_may_ask_what_it_needs(limits: dict[str, Any], told: Tell) -> None:
    there = told("studio_cloud", **limits)
    contact = ContactFactory(organization=there.system.organization, wedding=there.wedding, email="anna@people.example")
    there.put("client", {"id": "C-1", "email": "anna@people.example", "name": "Anna"})
    payload = {"client_id": str(contact.id), "phone": "+12025550101", "email": "anna@people.example"}
    event = EventFactory(
        organization=there.system.organization, wedding=there.wedding, type="client.updated", payload=payload
    )
    lane = lane_of(there.system)
    permit = admission.ask(lane, urgent=False)
    assert permit.granted

    SystemSender().render(there.delivery(event))

    assert calls(there) == 1
    assert admission.look([lane])[str(there.system.id)].in_flight == 1, "the question's own slot is given back"
