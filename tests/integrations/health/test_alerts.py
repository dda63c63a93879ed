"""When staff are alerted, and how often."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone

from integrations import admission
from integrations.admission import breakers
from integrations.health import alerts
from integrations.health.round import sweep_health
from integrations.models import Alert, Delivery, HealthReading, System
from integrations.models.health import Cause
from integrations.states import Outcome, Reason, State
from integrations.systems import lifecycle
from tests.factories import AttemptFactory, DeliveryFactory, EventFactory, SystemFactory
from tests.integrations.admission.aging import age
from tests.integrations.health.alerting import let_an_hour_pass, raised, told
from wedsync.live.models import ChannelEntry

pytestmark = pytest.mark.django_db


def test_the_same_is_told_once_an_hour_and_counted_in_between() -> None:
    system = SystemFactory()

    assert [raised(system) for _ in range(3)] == [True, False, False]
    let_an_hour_pass()
    assert [raised(system) for _ in range(2)] == [True, False]

    alert = Alert.objects.get()
    assert (alert.count, alert.tellings, len(told())) == (5, 2, 2)


def test_each_cause_each_system_and_each_organization_has_an_alert_of_its_own() -> None:
    first, second = SystemFactory(), SystemFactory()

    assert raised(first)
    assert raised(first, Cause.OLDEST_DUE)
    assert raised(second)
    assert alerts.raise_alert(first.organization_id, Cause.OLDEST_DUE, "Events wait.")
    assert not alerts.raise_alert(first.organization_id, Cause.OLDEST_DUE, "Events wait.")
    assert Alert.objects.count() == 4
    for event in told():
        (entry,) = ChannelEntry.objects.filter(event=event)
        assert entry.channel.name == f"ops:health:{event.organization_id}"


def test_the_all_clear_is_given_once() -> None:
    system = SystemFactory()
    raised(system)
    alert = Alert.objects.get()

    assert [alerts.resolve(alert), alerts.resolve(alert)] == [True, False]

    (event,) = told(alerts.RESOLVED)
    assert event.payload["alert_id"] == str(alert.id)


def test_what_comes_and_goes_within_the_hour_is_told_once() -> None:
    system = SystemFactory()
    raised(system)
    alerts.resolve(Alert.objects.get())

    assert not raised(system)
    again = Alert.objects.get(resolved_at=None)
    alerts.resolve(again)
    assert not raised(system)
    let_an_hour_pass()
    assert raised(system)

    assert len(told()) == 2
    assert len(told(alerts.RESOLVED)) == 1, "nobody gets the all-clear of what they were not told"


@pytest.mark.django_db(transaction=True)
def test_of_many_processes_that_raise_the_same_one_tells_it() -> None:
    system = SystemFactory()

    def one(_: int) -> bool:
        try:
            return raised(system)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(one, range(12)))

    assert sum(found) == 1
    assert Alert.objects.get().count == 12
    assert len(told()) == 1


# What raises them.


@pytest.mark.parametrize(
    ("state", "reason"),
    [(System.Status.PAUSED, Reason.CREDENTIALS_REFUSED), (System.Status.DISABLED, Reason.TARGET_GONE)],
)
def test_a_system_that_stops_by_what_it_answered_is_raised_when_it_stops(state: System.Status, reason: Reason) -> None:
    system = SystemFactory()

    for _ in range(3):
        lifecycle.stop_system(system, state, reason)

    alert = Alert.objects.get()
    assert (alert.cause, alert.system, alert.count) == (Cause.SYSTEM_STOPPED, system, 1)
    assert system.name in alert.text
    assert len(told()) == 1


def test_a_system_that_staff_stop_raises_nothing() -> None:
    system = SystemFactory()
    lifecycle.pause_system(system)
    lifecycle.stop_system(system, System.Status.DISABLED, Reason.TARGET_GONE)
    sweep_health()

    assert not Alert.objects.exists()


def test_a_stopped_systems_alert_is_over_when_it_goes_on() -> None:
    system = SystemFactory()
    lifecycle.stop_system(system, System.Status.PAUSED, Reason.CREDENTIALS_REFUSED)

    sweep_health()
    assert not told(alerts.RESOLVED)
    lifecycle.resume_system(system)
    sweep_health()

    assert len(told(alerts.RESOLVED)) == 1


def calls(system: System, *outcomes: Outcome) -> None:
    """Attempts of deliveries of their own, each a moment after the one before."""
    event = EventFactory(organization=system.organization)
    earlier = Delivery.objects.filter(system=system).count()
    for number, outcome in enumerate(outcomes, earlier):
        delivery = DeliveryFactory(
            organization=system.organization, system=system, event=event, state=State.SUCCEEDED, generation=number
        )
        failed = outcome != Outcome.SUCCEEDED
        AttemptFactory(delivery=delivery, outcome=outcome, error_class="ServerError" if failed else "")


def ill_breaker(system: System) -> None:
    """Its breaker is open, since calls have failed."""
    lane = admission.lane_of(system)
    for _ in range(settings.BREAKER_FAILURES):
        permit = admission.ask(lane, urgent=False)
        admission.report(lane, permit, admission.CallResult.FAILED, delivery_id=uuid4(), alone=False)
    calls(system, *[Outcome.FAILED] * settings.BREAKER_FAILURES)


def test_the_all_clear_comes_with_a_success_and_not_with_a_breaker_that_probes() -> None:
    system = SystemFactory()
    ill_breaker(system)
    sweep_health()
    assert Alert.objects.get().cause == Cause.SYSTEM_CRITICAL

    age(redis.Redis.from_url(settings.BREAKER_URL), admission.lane_of(system), 600)
    sweep_health()
    assert HealthReading.objects.get().breaker == "half_open"
    assert not told(alerts.RESOLVED)

    permit = admission.ask(admission.lane_of(system), urgent=False)
    admission.report(admission.lane_of(system), permit, admission.CallResult.ALIVE, delivery_id=uuid4(), alone=True)
    calls(system, Outcome.SUCCEEDED)
    sweep_health()
    assert len(told(alerts.RESOLVED)) == 1


@pytest.mark.parametrize("stopped", ["reset by staff", "paused", "disabled"])
def test_a_system_that_fails_gets_no_all_clear_by_being_stopped_or_reset(stopped: str) -> None:
    system = SystemFactory()
    ill_breaker(system)
    DeliveryFactory(
        organization=system.organization, system=system, next_attempt_at=timezone.now() - timedelta(minutes=5)
    )
    sweep_health()
    assert set(Alert.objects.values_list("cause", flat=True)) == {Cause.SYSTEM_CRITICAL, Cause.OLDEST_DUE}

    if stopped == "reset by staff":
        breakers.reset(system)
    else:
        System.objects.filter(id=system.id).update(state=stopped)
    sweep_health()

    assert not told(alerts.RESOLVED)
    System.objects.filter(id=system.id).update(state="active")
    breakers.reset(system)
    Delivery.objects.filter(state=State.PENDING).update(state=State.SUCCEEDED, finished_at=timezone.now())
    calls(system, Outcome.SUCCEEDED, *[Outcome.SUCCEEDED] * 200)
    sweep_health()
    assert len(told(alerts.RESOLVED)) == 2


def test_a_late_delivery_makes_its_system_critical_and_is_over_when_it_left() -> None:
    late = DeliveryFactory(next_attempt_at=timezone.now() - timedelta(minutes=5))

    for _ in range(2):
        sweep_health()

    assert {alert.cause for alert in Alert.objects.all()} == {Cause.SYSTEM_CRITICAL, Cause.OLDEST_DUE}
    assert {alert.system for alert in Alert.objects.all()} == {late.system}
    Delivery.objects.filter(id=late.id).update(state=State.SUCCEEDED)
    sweep_health()
    assert not Alert.objects.filter(resolved_at=None).exists()
    assert (len(told()), len(told(alerts.RESOLVED))) == (2, 2)


def test_what_stays_wrong_is_counted_for_all_systems_at_once(django_assert_max_num_queries: Any) -> None:
    for _ in range(20):
        DeliveryFactory(next_attempt_at=timezone.now() - timedelta(minutes=5))
    sweep_health()

    with django_assert_max_num_queries(30):
        sweep_health()

    assert set(Alert.objects.values_list("count", "tellings")) == {(2, 1)}
    let_an_hour_pass()
    sweep_health()
    assert set(Alert.objects.values_list("count", "tellings")) == {(3, 2)}
