"""What the health sweep finds in the rows, and what it writes."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from integrations import admission
from integrations.health import alerts
from integrations.health.breaker_states import breaker_states
from integrations.health.rating import Figures, rate, score
from integrations.health.report import of_system, report
from integrations.health.round import _LOCK, sweep_health
from integrations.models import Alert, AttemptMinute, HealthReading, OrganizationReading, PastReading
from integrations.models.breaker_changes import BreakerState
from integrations.models.health import Cause, HealthStatus
from integrations.states import Reason
from tests.factories import EventFactory, SystemFactory
from tests.integrations.health.swept import AGO, due, let_it_probe, open_breaker, reading, tries
from wedsync.celery import app
from wedsync.live.models import ChannelEntry, ChannelEvent
from wedsync.queues import Priority

pytestmark = pytest.mark.django_db


def test_a_system_that_was_never_called_is_not_used_yet() -> None:
    system = SystemFactory()

    found = reading(system)

    assert (found.status, found.score, found.success_rate, found.oldest_due_seconds) == ("unused", 100, None, None)
    assert found.why == ["Not used yet: nothing has been sent to it."]
    assert report(system.organization_id).status == "healthy", "what nobody uses makes an organization no worse"


def test_the_first_use_of_a_system_is_told_to_nobody_and_it_stays_used_when_the_window_is_empty() -> None:
    system = SystemFactory()
    assert reading(system).status == "unused"
    tries(system, succeeded=1)
    assert reading(system).status == "healthy"

    AttemptMinute.objects.all().delete()
    AttemptMinute.objects.create(system=SystemFactory(), minute=timezone.now() + AGO, attempts=1, successes=1)

    found = reading(system)
    assert (found.attempts, found.status) == (0, "healthy")
    assert not ChannelEvent.objects.filter(type="system.health_changed").exists()


@pytest.mark.parametrize("cause", [Cause.SYSTEM_STOPPED, Cause.SYSTEM_CRITICAL, Cause.OLDEST_DUE, Cause.UNANSWERED])
@pytest.mark.parametrize("calls", [0, 20])
def test_an_open_alert_makes_a_system_at_least_a_warning(cause: Cause, calls: int) -> None:
    system, other = SystemFactory(), SystemFactory()
    tries(system, succeeded=calls)
    sweep_health()
    alerts.raise_alert(system.organization_id, cause, "It is ill.", system=system)
    alerts.raise_alert(other.organization_id, cause, "It is ill.", system=other)

    (found,) = report(system.organization_id).systems
    assert found.rating.status == of_system(system).rating.status == "warning"
    assert found.rating.why == [f"An alert is open: {cause.label}."]
    alerts.resolve(Alert.objects.get(system=system))
    assert of_system(system).rating.status == ("healthy" if calls else "unused")


def test_three_faults_of_ours_in_a_row_are_critical() -> None:
    assert rate(Figures(attempts=1, own_faults=2, own_fault="the sender is wrong")).status == "healthy"

    rated = rate(Figures(attempts=1, own_faults=3, own_fault="the sender is wrong"))

    assert (rated.status, rated.why) == (
        "critical", ["The last 3 calls failed because of a fault of ours: the sender is wrong"],
    )  # fmt: skip


def test_a_paused_system_is_not_critical_whatever_waits_for_it() -> None:
    system = SystemFactory(state="paused", state_reason=Reason.BY_STAFF)
    tries(system, succeeded=0, failed=20)
    due(system, next_attempt_at=timezone.now() - AGO)

    found = reading(system)

    assert (found.status, found.oldest_due_seconds, found.waiting) == ("warning", None, 1)
    assert found.why[0] == "The system is paused (by staff). Deliveries waiting for it: 1."
    assert OrganizationReading.objects.get().oldest_due_seconds is None


def test_an_open_breaker_is_critical_and_one_that_probes_a_warning() -> None:
    system = SystemFactory()
    open_breaker(system)

    assert reading(system).breaker == BreakerState.OPEN
    assert HealthReading.objects.get().status == HealthStatus.CRITICAL
    let_it_probe(system)
    found = reading(system)
    assert (found.breaker, found.status) == (BreakerState.HALF_OPEN, "warning")


def test_looking_at_a_breaker_takes_no_probe() -> None:
    system = SystemFactory()
    open_breaker(system)
    let_it_probe(system)

    assert breaker_states([system, SystemFactory()])[system.id] == BreakerState.HALF_OPEN
    assert admission.ask(admission.lane_of(system), urgent=False).granted, "the probe is still there to be had"


def test_an_event_that_nobody_routes_makes_its_organization_late() -> None:
    system = SystemFactory()
    event = EventFactory(organization=system.organization, routing=ChannelEvent.Routing.PENDING)
    ChannelEvent.objects.filter(id=event.id).update(received_at=timezone.now() - AGO)

    sweep_health()

    whole = OrganizationReading.objects.get(organization=system.organization)
    assert whole.oldest_due_seconds == whole.unrouted_seconds == pytest.approx(300, abs=5)


def test_a_change_of_status_is_seen_on_the_ops_channel_once() -> None:
    system = SystemFactory()
    sweep_health()
    due(system, next_attempt_at=timezone.now() - AGO)

    for _ in range(2):
        sweep_health()

    event = ChannelEvent.objects.get(type="system.health_changed")
    assert event.payload["status"] == "critical"
    assert event.payload["previous"] == "healthy"
    assert (event.routing, event.wedding_id) == ("pending", None)
    assert ChannelEntry.objects.get(event=event).channel.name == f"ops:health:{system.organization_id}"


def test_the_past_is_kept_where_it_changed_and_for_seven_days() -> None:
    system = SystemFactory()
    for _ in range(3):
        sweep_health()
    assert PastReading.objects.filter(system=system).count() == 1
    PastReading.objects.update(taken_at=timezone.now() - timedelta(days=8))

    due(system, next_attempt_at=timezone.now() - AGO)
    sweep_health()

    assert PastReading.objects.get(system=system).status == "critical"


def test_two_rounds_at_once_are_one() -> None:
    SystemFactory()
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
            assert sweep_health() is None
            assert not HealthReading.objects.exists()
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
    finally:
        other.close()
    assert sweep_health() == 1


def test_a_round_takes_as_many_queries_for_many_systems_as_for_one(django_assert_max_num_queries: Any) -> None:
    for _ in range(30):
        tries(SystemFactory(), succeeded=1)
    sweep_health()

    with django_assert_max_num_queries(30):
        sweep_health()


def test_beat_asks_for_the_sweep_in_a_queue_that_a_worker_serves() -> None:
    system = SystemFactory()
    app.loader.import_default_modules()
    entry = app.conf.beat_schedule["health-sweep"]

    app.tasks[entry["task"]]()

    assert HealthReading.objects.get().system == system
    assert entry["options"]["queue"] == Priority.HIGH
    assert entry["schedule"] == settings.HEALTH_SECONDS


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        (Figures(), 100),
        (Figures(attempts=20, successes=19, breaker=BreakerState.CLOSED), 50),
        (Figures(attempts=2, successes=1), 95),
        (Figures(breaker=BreakerState.OPEN), 50),
        (Figures(breaker=BreakerState.HALF_OPEN), 75),
        (Figures(oldest_due_seconds=30), 80),
        (Figures(waiting=500), 95),
        (Figures(attempts=20, breaker=BreakerState.OPEN, oldest_due_seconds=600, waiting=9000), 0),
    ],
)
def test_the_score_falls_by_what_is_wrong(figures: Figures, expected: int) -> None:
    assert score(figures) == expected


def test_the_worst_finding_is_the_status_and_all_are_told() -> None:
    rated = rate(Figures(attempts=100, successes=99, oldest_due_seconds=61))

    assert rated.status == HealthStatus.CRITICAL
    assert len(rated.why) == 2
