"""A rate beside the target's own, such as that to one phone: a token without leave to call."""

from dataclasses import replace
from uuid import uuid4

import pytest
import redis
from pytest_django import Settings

from integrations import admission
from integrations.admission import Lane
from integrations.admission.scripts import keys_of, scripts_at
from tests.integrations.admission.aging import age


@pytest.fixture
def client(settings: Settings) -> redis.Redis:
    return scripts_at(settings.BREAKER_URL).client


@pytest.fixture
def lane() -> Lane:
    return Lane(uuid4(), f"pair:{uuid4()}", call_limit=1, rate=0.1, burst=10)


def taken(lane: Lane, *, urgent: bool = False) -> int:
    """How many tokens are there."""
    count = 0
    while not admission.reserve(lane, urgent=urgent):
        count += 1
    return count


def test_a_fifth_of_the_burst_is_left_to_the_urgent_and_the_rest_comes_back_by_time(
    client: redis.Redis, lane: Lane
) -> None:
    assert taken(lane) == 8
    assert 9 < admission.reserve(lane, urgent=False) <= 10
    assert taken(lane, urgent=True) == 2

    age(client, lane, 40)

    assert taken(lane) == 2
    assert admission.reserve(replace(lane, breaker_key="pair:other"), urgent=False) == 0


def test_a_requested_pause_holds_the_urgent_too_and_that_lane_alone(client: redis.Redis, lane: Lane) -> None:
    admission.begin_pause(lane, 60)

    assert 59 < admission.reserve(lane, urgent=True) <= 60
    assert admission.reserve(replace(lane, breaker_key="pair:other"), urgent=False) == 0

    age(client, lane, 60)

    assert admission.reserve(lane, urgent=False) == 0


def test_it_takes_no_slot_and_all_that_is_kept_has_an_end(client: redis.Redis, lane: Lane) -> None:
    taken(lane)
    admission.begin_pause(lane, 5)

    breaker, probes, slots, urgent, bucket, pause = keys_of(lane)
    assert client.exists(breaker, probes, slots, urgent) == 0
    assert 0 < client.ttl(bucket) <= 101
    assert 0 < client.ttl(pause) <= 6
