"""Who misses a part of WedSync that gives no sign of life, and whom that is told."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from integrations.health import alerts
from integrations.health.heartbeats import Part, Pulse, beat, check
from integrations.health.round import sweep_health
from integrations.models import Heartbeat
from tests.factories import SystemFactory
from tests.integrations.health.alerting import LATER, let_an_hour_pass, staff_route, told

pytestmark = pytest.mark.django_db


def silence(part: Part, seconds: float) -> None:
    Heartbeat.objects.update_or_create(name=part, defaults={"at": timezone.now() - timedelta(seconds=seconds)})


@pytest.mark.parametrize("part", Part)
def test_a_part_that_falls_silent_is_told_to_who_listens_once_an_hour_and_cleared_when_it_is_back(part: Part) -> None:
    route = staff_route()
    SystemFactory()  # of an organization that has no route for it
    beat(part)
    assert check(part)

    silence(part, part.longest_silence + 5)
    assert [check(part), check(part)] == [False, False]
    (event,) = told()
    assert (event.organization_id, event.payload["cause"]) == (route.organization_id, part.cause)
    let_an_hour_pass()
    Heartbeat.objects.update(silence_told_at=timezone.now() - LATER)
    check(part)
    assert len(told()) == 2

    beat(part)
    assert [check(part), check(part)] == [True, True]
    assert len(told(alerts.RESOLVED)) == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_web_processes_that_miss_the_sweep_one_tells_it() -> None:
    staff_route()
    silence(Part.SWEEP, Part.SWEEP.longest_silence + 5)

    def one(_: int) -> bool:
        try:
            return check(Part.SWEEP)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        assert not any(threads.map(one, range(6)))

    assert len(told()) == 1


def test_a_part_that_never_gave_a_sign_is_missed_after_its_time() -> None:
    staff_route()

    assert check(Part.HEALTH)
    Heartbeat.objects.update(at=timezone.now() - timedelta(seconds=Part.HEALTH.longest_silence + 1))
    assert not check(Part.HEALTH)
    assert told()


def test_a_process_that_has_just_begun_misses_nobody_yet() -> None:
    staff_route()
    silence(Part.SWEEP, 3600)
    pulse = Pulse(Part.WEB, watched=[Part.SWEEP])

    pulse.round()
    assert not told()
    assert Heartbeat.objects.get(name=Part.WEB).hostname
    pulse._began -= Part.SWEEP.longest_silence + 1
    pulse._next = 0
    pulse.round()
    assert told()


def test_the_health_sweep_is_a_sign_of_life() -> None:
    silence(Part.HEALTH, 10 * Part.HEALTH.longest_silence)

    sweep_health()

    assert check(Part.HEALTH)
