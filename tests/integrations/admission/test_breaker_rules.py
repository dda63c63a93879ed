"""When the breaker of a target opens, probes and closes; its scripts on a real Valkey."""

import random
from dataclasses import replace
from uuid import uuid4

import pytest
import redis
from pytest_django import Settings

from integrations import admission
from integrations.admission import BreakerEffect, BreakerState, CallResult, Lane, Refusal
from tests.integrations.admission.aging import age
from tests.integrations.admission.calls import call, end, fail, granted, opened, refused, view

pytestmark = pytest.mark.usefixtures("every_key_expires")


def test_five_failures_in_a_row_open_it(lane: Lane) -> None:
    assert [fail(lane) for _ in range(5)] == [BreakerEffect.UNCHANGED] * 4 + [BreakerEffect.OPENED]

    held = refused(lane)
    assert held.why == Refusal.BREAKER_OPEN
    assert 29 < held.wait <= 30
    assert view(lane).state == BreakerState.OPEN


def test_one_poisonous_delivery_does_not_close_the_way_for_others(lane: Lane) -> None:
    poison = uuid4()
    assert {fail(lane, delivery=poison) for _ in range(30)} == {BreakerEffect.UNCHANGED}, "nor by its rate"

    assert fail(lane) == BreakerEffect.OPENED


def test_one_delivery_that_waits_alone_opens_it(lane: Lane) -> None:
    only = uuid4()
    assert [fail(lane, delivery=only, alone=True) for _ in range(5)][-1] == BreakerEffect.OPENED


def test_a_target_that_fails_every_tenth_call_stays_open_for_business(lane: Lane) -> None:
    chance = random.Random(4)  # with this seed, as with most, never five in a row

    changes = {call(lane, CallResult.FAILED if chance.random() < 0.1 else CallResult.ALIVE) for _ in range(1_000)}

    assert changes == {BreakerEffect.UNCHANGED}


def test_half_of_twenty_calls_failing_open_it_though_never_five_in_a_row(lane: Lane) -> None:
    changes = [call(lane, CallResult.FAILED if number % 2 else CallResult.ALIVE) for number in range(20)]

    assert changes == [BreakerEffect.UNCHANGED] * 19 + [BreakerEffect.OPENED]


def test_old_failures_never_open_it_in_quiet_traffic(lane: Lane, client: redis.Redis) -> None:
    for number in range(18):
        call(lane, CallResult.FAILED if number % 2 else CallResult.ALIVE)
    age(client, lane, 70)
    assert (view(lane).window_calls, view(lane).window_failures) == (0, 0)

    for _ in range(30):
        assert call(lane, CallResult.ALIVE) == BreakerEffect.UNCHANGED
        age(client, lane, 10)
    assert fail(lane) == BreakerEffect.UNCHANGED


def test_calls_in_flight_when_it_opens_count_for_nothing(lane: Lane) -> None:
    wide = replace(lane, call_limit=9)
    in_flight = [granted(wide) for _ in range(8)]
    opened(wide)

    call_results = [CallResult.FAILED, CallResult.ALIVE] * 4
    assert {end(wide, permit, call_result) for permit, call_result in zip(in_flight, call_results, strict=True)} == {
        BreakerEffect.LATE
    }
    assert view(wide).state == BreakerState.OPEN
    assert view(wide).in_flight == 0


def test_a_dead_target_gets_five_calls_and_those_in_flight(lane: Lane) -> None:
    made, flying = 0, [granted(lane) for _ in range(4)]
    while flying:
        made += 1
        _, following = admission.report_and_ask(
            lane, flying.pop(0), CallResult.FAILED, delivery_id=uuid4(), alone=False, urgent=False
        )
        if following.granted:
            flying.append(following)

    assert made <= 5 + lane.call_limit


def test_each_reopening_lasts_twice_as_long_up_to_the_longest(lane: Lane, client: redis.Redis) -> None:
    opened(lane)
    waits = []
    for _ in range(7):
        waits.append(round(refused(lane).wait))
        age(client, lane, 600)
        assert end(lane, granted(lane), CallResult.FAILED) == BreakerEffect.REOPENED

    assert waits == [30, 60, 120, 240, 480, 600, 600]


def test_two_good_probes_close_it_and_one_does_where_nothing_waits(lane: Lane, client: redis.Redis) -> None:
    opened(lane)
    age(client, lane, 30)
    assert call(lane, CallResult.ALIVE) == BreakerEffect.UNCHANGED
    assert view(lane).state == BreakerState.HALF_OPEN
    assert call(lane, CallResult.ALIVE) == BreakerEffect.CLOSED

    opened(lane)
    age(client, lane, 60)
    assert call(lane, CallResult.ALIVE, alone=True) == BreakerEffect.CLOSED


def test_a_flapping_target_is_remembered_until_it_has_stayed_closed(lane: Lane, client: redis.Redis) -> None:
    for expected in (30, 60, 120):
        opened(lane)
        assert round(refused(lane).wait) == expected
        age(client, lane, 600)
        call(lane, CallResult.ALIVE, alone=True)
        age(client, lane, 590)

    age(client, lane, 10)
    opened(lane)
    assert round(refused(lane).wait) == 30


def test_a_probe_that_died_blocks_the_way_only_for_its_lease(
    lane: Lane, client: redis.Redis, settings: Settings
) -> None:
    settings.LEASE_SECONDS = 40.0
    opened(lane)
    age(client, lane, 30)
    dead = granted(lane)
    assert dead.probe
    assert 0 < refused(lane).wait <= 2

    age(client, lane, 40)
    assert granted(lane).probe
    assert end(lane, dead, CallResult.ALIVE) == BreakerEffect.LATE


def test_the_urgent_get_the_probes_first(lane: Lane, client: redis.Redis) -> None:
    opened(lane)
    age(client, lane, 30)
    ordinary, urgent = granted(lane), granted(lane, urgent=True)
    assert ordinary.probe
    assert urgent.probe, "one more probe than others may take"
    assert refused(lane, urgent=True).why == Refusal.PROBING

    end(lane, ordinary, CallResult.NEUTRAL)
    end(lane, urgent, CallResult.NEUTRAL)
    assert 0 < refused(lane).wait <= 2, "an urgent one has just been refused"
    assert granted(lane, urgent=True).probe


def test_a_target_that_only_asks_for_pauses_is_let_through_again(lane: Lane, client: redis.Redis) -> None:
    opened(lane)
    age(client, lane, 30)

    assert [call(lane, CallResult.NEUTRAL) for _ in range(3)] == [BreakerEffect.UNCHANGED] * 2 + [BreakerEffect.CLOSED]
    assert view(lane).opens == 1, "it has not been forgiven"
    assert {call(lane, CallResult.NEUTRAL) for _ in range(30)} == {BreakerEffect.UNCHANGED}


def test_a_result_counts_once(lane: Lane) -> None:
    permit = granted(lane)
    assert end(lane, permit, CallResult.FAILED) == BreakerEffect.UNCHANGED
    assert end(lane, permit, CallResult.FAILED) == BreakerEffect.LATE
    assert view(lane).failures == 1


def test_staff_trip_it_and_reset_it(lane: Lane) -> None:
    flying = granted(lane)
    admission.trip(lane, seconds=600)
    assert 599 < refused(lane, urgent=True).wait <= 600

    admission.reset(lane)
    assert view(lane) == admission.LaneView(in_flight=1)
    assert end(lane, flying, CallResult.FAILED) == BreakerEffect.LATE
