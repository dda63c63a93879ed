"""What the health sweep finds in the rows, and what it writes."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone

from integrations import admission, errors
from integrations.health import alerts, sweeping
from integrations.health.breaker_states import breaker_states
from integrations.health.rating import Figures, rate, score
from integrations.health.report import of_system, report
from integrations.models import Alert, AttemptMinute, HealthReading, OrganizationReading, PastReading, System
from integrations.models.breaker import BreakerState
from integrations.models.health import Cause, HealthStatus
from integrations.states import Outcome, Reason, State
from tests.factories import AttemptFactory, DeliveryFactory, EventFactory, SystemFactory
from tests.integrations.admission.aging import age
from wedsync.celery import app
from wedsync.live.models import ChannelEntry, ChannelEvent
from wedsync.queues import Priority

pytestmark = pytest.mark.django_db
AGO = timedelta(minutes=5)


def reading(system: System) -> HealthReading:
    """The system's, after a sweep."""
    assert sweeping.sweep()
    return HealthReading.objects.get(system=system)


def tries(system: System, *, succeeded: int, failed: int = 0, **rest: Any) -> None:
    """Finished attempts, each of a delivery of its own."""
    common = {"organization": system.organization, "system": system}
    event = EventFactory(organization=system.organization)
    for number in range(succeeded + failed):
        delivery = DeliveryFactory(**common, event=event, state=State.SUCCEEDED, generation=number)
        outcome = Outcome.SUCCEEDED if number < succeeded else Outcome.FAILED
        error = "" if number < succeeded else "ServerError"
        AttemptFactory(**{"delivery": delivery, "outcome": outcome, "error_class": error} | rest)


def due(system: System, **rest: Any) -> None:
    DeliveryFactory(organization=system.organization, system=system, **rest)


def open_breaker(system: System) -> None:
    """As five failures of two deliveries do."""
    lane = admission.lane_of(system)
    for _ in range(settings.BREAKER_FAILURES):
        permit = admission.ask(lane, urgent=False)
        change = admission.tell(lane, permit, admission.CallResult.FAILED, delivery_id=uuid4(), alone=False)
    assert change == "opened"


def let_it_probe(system: System) -> None:
    """The time for which its breaker is open has passed."""
    age(redis.Redis.from_url(settings.BREAKER_URL), admission.lane_of(system), 600)


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
    sweeping.sweep()
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


@pytest.mark.parametrize(
    ("succeeded", "failed", "status"),
    [(20, 0, "healthy"), (19, 1, "warning"), (18, 2, "critical"), (5, 5, "healthy")],
)
def test_the_success_rate_counts_from_twenty_calls_on(succeeded: int, failed: int, status: str) -> None:
    system = SystemFactory()
    tries(system, succeeded=succeeded, failed=failed)

    found = reading(system)

    assert (found.attempts, found.successes) == (succeeded + failed, succeeded)
    assert found.status == status
    assert bool(found.why) is (status != "healthy")


@pytest.mark.parametrize("error", sorted(errors.every_error(), key=lambda each: each.__name__))
def test_an_error_counts_for_health_as_its_class_says(error: type[errors.DeliveryError]) -> None:
    system = SystemFactory()
    tries(system, succeeded=20)
    tries(system, succeeded=0, failed=10, error_class=error.__name__)

    found = reading(system)

    counted = 10 if error.counts_for_health else 0
    assert (found.attempts, found.successes) == (20 + counted, 20)
    ours = error is errors.OurFault  # ten in a row say nothing of the system, but nothing reaches it either
    assert found.status == ("critical" if counted or ours else "healthy")
    assert bool(found.last_failure_at) is error.counts_for_health


@pytest.mark.parametrize(
    ("error", "for_breaker", "for_health"),
    [
        (errors.NetworkError, True, True),
        (errors.TimedOut, True, True),
        (errors.ServerError, True, True),
        (errors.Permanent, False, True),
        (errors.CredentialsRefused, False, True),
        (errors.TargetGone, False, True),
        (errors.NoRoom, False, False),
        (errors.Throttled, False, False),
        (errors.PairThrottled, False, False),
        (errors.WorkerLost, False, False),
        (errors.RecipientRefused, False, False),
        (errors.RecipientComplained, False, False),
        (errors.RecipientStopped, False, False),
        (errors.Undeliverable, False, False),
        (errors.WindowClosed, False, False),
        (errors.TemplateRefused, False, False),
        (errors.OurFault, False, False),
    ],
)
def test_each_error_counts_for_what_it_says_of_the_other_side(
    error: type[errors.DeliveryError], for_breaker: bool, for_health: bool
) -> None:
    assert (error.counts_for_breaker, error.counts_for_health) == (for_breaker, for_health)


def test_sweeping_twice_counts_nothing_twice_and_forgets_what_is_past_the_window() -> None:
    system = SystemFactory()
    tries(system, succeeded=3)
    AttemptMinute.objects.create(
        system=system, minute=timezone.now() - timedelta(seconds=settings.HEALTH_WINDOW_SECONDS + 300), attempts=9,
        successes=9,
    )  # fmt: skip

    assert [reading(system).attempts, reading(system).attempts] == [3, 3]
    tries(system, succeeded=2)
    assert reading(system).attempts == 5, "a minute that goes on is counted anew"
    assert not AttemptMinute.objects.filter(attempts=9).exists()


@pytest.mark.parametrize(("seconds", "status"), [(5, "healthy"), (20, "warning"), (90, "critical")])
def test_the_oldest_due_delivery_decides_by_its_age(seconds: int, status: str) -> None:
    system = SystemFactory()
    due(system, next_attempt_at=timezone.now() - timedelta(seconds=seconds))
    due(system, next_attempt_at=timezone.now())

    found = reading(system)

    assert found.oldest_due_seconds == pytest.approx(seconds, abs=5)
    assert (found.status, found.waiting) == (status, 2)


def test_what_its_breaker_holds_is_due_since_it_was_made() -> None:
    system = SystemFactory()
    due(
        system,
        state=State.HELD,
        state_reason=Reason.BREAKER_OPEN,
        next_attempt_at=timezone.now() + AGO,
    )
    system.deliveries.update(due_since=timezone.now() - AGO)

    found = reading(system)

    assert found.oldest_due_seconds == pytest.approx(300, abs=5)
    assert (found.status, found.held) == ("critical", 1)


@pytest.mark.parametrize("reason", [Reason.SYSTEM_PAUSED, Reason.QUIET_HOURS, Reason.PAIR_LIMITED])
def test_what_is_held_because_somebody_wanted_it_is_not_due(reason: Reason) -> None:
    system = SystemFactory()
    due(system, state=State.HELD, state_reason=reason, next_attempt_at=timezone.now() + AGO)
    system.deliveries.update(due_since=timezone.now() - AGO)

    assert reading(system).oldest_due_seconds is None


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

    sweeping.sweep()

    whole = OrganizationReading.objects.get(organization=system.organization)
    assert whole.oldest_due_seconds == whole.unrouted_seconds == pytest.approx(300, abs=5)


def test_deaths_of_the_last_day_and_the_last_success_are_kept() -> None:
    system = SystemFactory()
    tries(system, succeeded=1)
    for ago in (timedelta(hours=1), timedelta(days=2)):
        due(system, state=State.DEAD, state_reason=Reason.REFUSED, finished_at=timezone.now() - ago)

    first = reading(system)
    AttemptMinute.objects.all().delete()
    AttemptMinute.objects.create(system=SystemFactory(), minute=timezone.now() + AGO, attempts=1, successes=1)
    second = reading(system)

    assert first.dead == 1
    assert (second.attempts, second.last_success_at) == (0, first.last_success_at)
    assert first.last_success_at


def test_a_change_of_status_is_seen_on_the_ops_channel_once() -> None:
    system = SystemFactory()
    sweeping.sweep()
    due(system, next_attempt_at=timezone.now() - AGO)

    for _ in range(2):
        sweeping.sweep()

    event = ChannelEvent.objects.get(type="system.health_changed")
    assert event.payload["status"] == "critical"
    assert event.payload["previous"] == "healthy"
    assert (event.routing, event.wedding_id) == ("pending", None)
    assert ChannelEntry.objects.get(event=event).channel.name == f"ops:health:{system.organization_id}"


def test_the_past_is_kept_where_it_changed_and_for_seven_days() -> None:
    system = SystemFactory()
    for _ in range(3):
        sweeping.sweep()
    assert PastReading.objects.filter(system=system).count() == 1
    PastReading.objects.update(taken_at=timezone.now() - timedelta(days=8))

    due(system, next_attempt_at=timezone.now() - AGO)
    sweeping.sweep()

    assert PastReading.objects.get(system=system).status == "critical"


def test_two_rounds_at_once_are_one() -> None:
    SystemFactory()
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [sweeping._LOCK])
            assert sweeping.sweep() is None
            assert not HealthReading.objects.exists()
            cursor.execute("SELECT pg_advisory_unlock(%s)", [sweeping._LOCK])
    finally:
        other.close()
    assert sweeping.sweep() == 1


def test_a_round_takes_as_many_queries_for_many_systems_as_for_one(django_assert_max_num_queries: Any) -> None:
    for _ in range(30):
        tries(SystemFactory(), succeeded=1)
    sweeping.sweep()

    with django_assert_max_num_queries(30):
        sweeping.sweep()


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
