"""Which calls and which waiting deliveries say something of a system's health."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from integrations import errors
from integrations.models import AttemptMinute
from integrations.states import Reason, State
from tests.factories import SystemFactory
from tests.integrations.health.swept import AGO, due, reading, tries

pytestmark = pytest.mark.django_db


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
        (errors.EndpointFailed, False, False),
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
