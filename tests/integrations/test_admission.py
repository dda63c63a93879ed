"""The scripts of admission on a real Valkey: breaker, calls in flight, tokens."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
import redis
from pytest_django import Settings

from integrations import admission
from integrations.admission import Change, Lane, Refusal, Verdict
from integrations.admission.scripts import PREFIX, scripts_at


@pytest.fixture
def client(settings: Settings) -> redis.Redis:
    return scripts_at(settings.BREAKER_URL).client


@pytest.fixture(autouse=True)
def every_key_expires(client: redis.Redis) -> Iterator[None]:
    """Whatever a test did: nothing of admission stays in Redis for ever."""
    yield
    lives = {key: client.ttl(key) for key in client.scan_iter(f"{PREFIX}*")}
    assert all(0 <= life < 86_400 for life in lives.values()), lives


@pytest.fixture
def lane() -> Lane:
    system = uuid4()
    return Lane(system, str(system), call_limit=4, rate=None, burst=1)


def call(lane: Lane, verdict: Verdict, *, delivery: UUID | None = None, alone: bool = True) -> Change:
    permit = admission.ask(lane, urgent=False)
    assert permit.granted
    return admission.tell(lane, permit, verdict, delivery_id=delivery or uuid4(), alone=alone)


def fail(lane: Lane, *, delivery: UUID | None = None, alone: bool = True) -> Change:
    return call(lane, Verdict.FAILED, delivery=delivery, alone=alone)


def test_five_failures_in_a_row_open_it(lane: Lane, settings: Settings) -> None:
    assert [fail(lane) for _ in range(5)] == [Change.UNCHANGED] * 4 + [Change.OPENED]

    refused = admission.ask(lane, urgent=False)
    assert (refused.granted, refused.why) == (False, Refusal.BREAKER_OPEN)
    assert 0 < refused.wait <= settings.BREAKER_OPEN_SECONDS
