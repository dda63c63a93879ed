"""The breaker's scripts on a real Valkey."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from integrations import breaker
from integrations.breaker import Verdict
from tests.polling import until


@pytest.fixture
def system() -> UUID:
    return uuid4()


def fail(system: UUID, *, delivery: UUID | None = None, alone: bool = True) -> str:
    permit = breaker.ask(system)
    return breaker.tell(system, permit, Verdict.FAILED, delivery_id=delivery or uuid4(), alone=alone)


def test_five_failures_in_a_row_open_it(system: UUID) -> None:
    assert [fail(system) for _ in range(5)] == ["unchanged"] * 4 + ["opened"]

    refused = breaker.ask(system)
    assert not refused.granted
    assert 0 < refused.wait <= 2


def test_a_success_between_them_starts_the_count_again(system: UUID) -> None:
    for _ in range(4):
        fail(system)
    breaker.tell(system, breaker.ask(system), Verdict.ALIVE, delivery_id=uuid4(), alone=True)

    assert [fail(system) for _ in range(4)] == ["unchanged"] * 4


def test_one_poisonous_delivery_does_not_close_the_way_for_others(system: UUID) -> None:
    poison = uuid4()
    assert [fail(system, delivery=poison, alone=False) for _ in range(8)] == ["unchanged"] * 8

    assert fail(system, alone=False) == "opened"


def test_what_is_our_own_fault_counts_for_nothing(system: UUID) -> None:
    for _ in range(10):
        breaker.tell(system, breaker.ask(system), Verdict.NEUTRAL, delivery_id=uuid4(), alone=True)

    assert breaker.ask(system).granted


def test_half_open_hands_out_one_probe_to_many_workers(system: UUID) -> None:
    for _ in range(5):
        fail(system)

    (probe,) = until(lambda: _granted_to_many(system), 5)

    assert _granted_to_many(system) == []
    assert breaker.tell(system, probe, Verdict.ALIVE, delivery_id=uuid4(), alone=True) == "closed"
    assert len(_granted_to_many(system)) == 16


def _granted_to_many(system: UUID) -> list[breaker.Permit]:
    with ThreadPoolExecutor(8) as pool:
        permits = list(pool.map(lambda _: breaker.ask(system), range(16)))
    return [permit for permit in permits if permit.granted]


def test_a_failed_probe_opens_it_for_longer(system: UUID) -> None:
    for _ in range(5):
        fail(system)
    first = breaker.ask(system).wait
    permit = until(lambda: _granted(system), 5)

    assert breaker.tell(system, permit, Verdict.FAILED, delivery_id=uuid4(), alone=True) == "opened"
    assert breaker.ask(system).wait > first


def _granted(system: UUID) -> breaker.Permit | None:
    permit = breaker.ask(system)
    return permit if permit.granted else None


def test_a_late_result_of_an_older_generation_counts_for_nothing(system: UUID) -> None:
    early = breaker.ask(system)
    for _ in range(5):
        fail(system)

    assert breaker.tell(system, early, Verdict.ALIVE, delivery_id=uuid4(), alone=True) == "late"
    assert not breaker.ask(system).granted


def test_without_redis_calls_go_out(system: UUID, settings: object) -> None:
    settings.BREAKER_URL = "unix:///nonexistent/valkey.sock"  # type: ignore[attr-defined]
    breaker._redis.cache_clear()
    try:
        assert breaker.ask(system).granted
        assert fail(system) == "unchanged"
    finally:
        breaker._redis.cache_clear()


def test_every_key_expires(system: UUID) -> None:
    for _ in range(5):
        fail(system)

    assert 0 < int(breaker._redis().ttl(breaker.KEY.format(system))) < 86_400
