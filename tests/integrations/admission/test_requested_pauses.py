"""A target that asked for a pause is left alone until then."""

from dataclasses import replace
from uuid import uuid4

import pytest
import redis

from integrations import admission
from integrations.admission import BreakerEffect, CallResult, Lane, Permit, Refusal
from integrations.admission.scripts import keys_of
from tests.integrations.admission.aging import age
from tests.integrations.admission.calls import granted, opened, refused, view

pytestmark = pytest.mark.usefixtures("every_key_expires")


def request_pause(lane: Lane, seconds: float, permit: Permit | None = None) -> BreakerEffect:
    permit = permit or granted(lane)
    return admission.report(lane, permit, CallResult.NEUTRAL, delivery_id=uuid4(), alone=False, pause=seconds)


@pytest.mark.parametrize("urgent", [False, True])
def test_a_target_that_asked_for_a_pause_is_left_alone_by_everybody_until_then(
    lane: Lane, client: redis.Redis, urgent: bool
) -> None:
    beside = replace(lane, system_id=uuid4())
    request_pause(lane, 600)

    permit = refused(lane, urgent=urgent)

    assert permit.why == Refusal.PAUSED
    assert 599 < permit.wait <= 600
    assert view(lane).paused_until
    assert granted(beside), "its breaker is shared, its pause is not"
    age(client, lane, 600)
    assert granted(lane, urgent=urgent)
    assert view(lane).paused_until is None


@pytest.mark.parametrize("pauses", [(60, 600), (600, 60)])
def test_of_two_requested_pauses_the_one_that_ends_later_counts(lane: Lane, pauses: tuple[float, float]) -> None:
    for seconds, permit in [(seconds, granted(lane)) for seconds in pauses]:
        request_pause(lane, seconds, permit)

    assert 599 < refused(lane).wait <= 600


def test_a_plea_counts_that_came_otherwise_than_by_an_answer(lane: Lane) -> None:
    admission.begin_pause(lane, 600)
    admission.begin_pause(lane, 60)

    assert 599 < refused(lane, urgent=True).wait <= 600


def test_a_plea_counts_also_where_the_result_comes_too_late_to_count(lane: Lane) -> None:
    flying = granted(lane)
    admission.reset(lane)

    assert request_pause(lane, 600, flying) == BreakerEffect.LATE
    assert refused(lane).why == Refusal.PAUSED
    admission.reset(lane)
    assert granted(lane), "staff may wait no longer"


def test_whoever_tells_of_a_plea_gets_no_further_leave_in_the_same_round_trip(lane: Lane) -> None:
    _, following = admission.report_and_ask(
        lane, granted(lane), CallResult.NEUTRAL, delivery_id=uuid4(), alone=False, urgent=True, pause=30
    )

    assert (following.granted, following.why) == (False, Refusal.PAUSED)


def test_a_plea_takes_no_probe_and_lasts_a_day_at_most(lane: Lane, client: redis.Redis) -> None:
    opened(lane)
    age(client, lane, 30)
    request_pause(lane, 10_000_000)

    assert 86_000 < refused(lane).wait <= 86_400
    client.delete(keys_of(lane)[-1])
    assert granted(lane).probe
