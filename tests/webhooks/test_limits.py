"""Counting per address and per connection, in one process and in several, with and without Redis."""

import asyncio
import contextlib
import select
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from django.conf import settings
from structlog.testing import capture_logs

from tests.ports import free_port
from webhooks import limits
from webhooks.limits import HOUR, MOST_COUNTERS, SHARE_EVERY, Counters, Limit, Limits, sender_name
from wedsync.ids import new_id_text

DEADLINE = 10.0  # seconds


@dataclass
class Clock:
    """Stands in for the module ``time``."""

    now: float = 500_000 * HOUR + 600.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(limits, "time", made)
    return made


def test_a_limit_lets_so_many_pass_and_says_how_one_stands(clock: Clock) -> None:
    limit = Limit("address", 3)

    standings = [limit.count("a") for _ in range(5)]

    assert [each.passes for each in standings] == [True, True, True, False, False]
    assert [each.remaining for each in standings] == [2, 1, 0, 0, 0]
    assert {(each.limit, each.seconds) for each in standings} == {(3, 3000)}
    assert standings[0].headers == [
        (b"ratelimit-limit", b"3"), (b"ratelimit-remaining", b"2"), (b"ratelimit-reset", b"3000"),
    ]  # fmt: skip
    assert limit.count("b").remaining == 2


def test_each_hour_begins_anew_at_the_promised_second(clock: Clock) -> None:
    limit = Limit("address", 1)
    limit.count("a")
    refused = limit.count("a")

    clock.now += refused.seconds - 1
    assert not limit.count("a").passes
    clock.now += 1
    assert limit.count("a") == (True, 1, 0, HOUR)


def test_the_last_second_of_an_hour_is_not_zero_seconds_from_the_next(clock: Clock) -> None:
    clock.now = 500_001 * HOUR - 0.001

    assert Limit("address", 1).count("a").seconds == 1


def test_looking_does_not_count(clock: Clock) -> None:
    limit = Limit("connection", 2)

    assert [limit.allowance("a").remaining for _ in range(3)] == [2, 2, 2]
    assert limit.count("a").remaining == 1


def test_a_connection_may_have_a_limit_of_its_own(clock: Clock) -> None:
    limit = Limit("connection", 1)

    assert [limit.count("mine", 3).passes for _ in range(4)] == [True, True, True, False]
    assert [limit.count("other").passes for _ in range(2)] == [True, False]
    assert limit.count("mine", 5).passes  # raised: what was counted still counts
    assert not limit.count("mine", 2).passes


def test_a_limit_of_zero_lets_nothing_pass(clock: Clock) -> None:
    assert not Limit("connection", 1_000).count("a", 0).passes


def test_of_too_many_senders_the_earliest_are_forgotten() -> None:
    counters = Counters()

    for number in range(MOST_COUNTERS + 10):
        counters.add(str(number))

    assert counters.used("0") == 0
    assert counters.used(str(MOST_COUNTERS)) == 1
    assert counters.reset() == MOST_COUNTERS
    assert not counters.unshared


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::1", "::"),
        ("", ""),
    ],
)
def test_an_ipv6_customer_counts_as_one_sender(address: str, name: str) -> None:
    assert sender_name(address) == name


# Several processes


@contextlib.asynccontextmanager
async def counting(*urls: str, per_address: int = 10) -> AsyncIterator[list[Limits]]:
    """Each as in a web process of its own."""
    made = [Limits(per_address=per_address, per_connection=10, redis_url=url) for url in urls]
    for each in made:
        each.start()
    try:
        yield made
    finally:
        for each in made:
            await each.stop()


async def happens(look: Callable[[], bool]) -> None:
    """Lets the others on this event loop work until it is so."""
    async with asyncio.timeout(DEADLINE):
        while not look():  # noqa: ASYNC110  (what is looked at tells nobody)
            await asyncio.sleep(SHARE_EVERY / 10)


def shared(name: str, kind: str = "address") -> int:
    """How many Redis knows of."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        keys = list(client.scan_iter(f"{limits.KEY_PREFIX}{kind}/{name}/*"))
        return sum(int(value) for value in client.mget(keys)) if keys else 0


def test_two_processes_soon_count_together() -> None:
    name = new_id_text()

    async def play() -> None:
        async with counting(settings.REDIS_URL, settings.REDIS_URL) as (one, other):
            for _ in range(7):
                assert one.addresses.count(name).passes
            await happens(lambda: shared(name) == 7)
            assert other.addresses.count(name).remaining == 9  # who has not told has not learned either
            await happens(lambda: other.addresses.allowance(name).remaining == 2)
            assert [other.addresses.count(name).passes for _ in range(3)] == [True, True, False]
            await happens(lambda: not one.addresses.count(name).passes)

    asyncio.run(play())


def test_addresses_and_connections_of_one_name_are_counted_apart() -> None:
    name = new_id_text()

    async def play() -> None:
        async with counting(settings.REDIS_URL) as (one,):
            for _ in range(5):
                one.addresses.count(name)
            one.connections.count(name)
            await happens(lambda: (shared(name), shared(name, "connection")) == (5, 1))

    asyncio.run(play())


def test_what_was_counted_while_redis_is_away_is_told_once_it_is_back(tmp_path: Path) -> None:
    name, place = new_id_text(), tmp_path / "valkey.sock"

    async def play() -> None:
        async with counting(f"unix://{place}", settings.REDIS_URL) as (one, other):
            for _ in range(8):
                assert one.addresses.count(name).passes
            await happens(lambda: told() == ["limits_counted_alone"])
            other.addresses.count(name)
            await happens(lambda: shared(name) == 1)
            place.symlink_to(settings.REDIS_URL.removeprefix("unix://"))
            await happens(lambda: told() == ["limits_counted_alone", "limits_counted_together"])
            await happens(lambda: one.addresses.allowance(name).remaining == 1)
            other.addresses.count(name)
            await happens(lambda: other.addresses.allowance(name).remaining == 0)

    def told() -> list[str]:
        return [each["event"] for each in logs]

    with capture_logs() as logs:
        asyncio.run(play())


def test_while_redis_is_away_each_process_counts_alone(tmp_path: Path) -> None:
    async def play() -> None:
        async with counting(f"unix://{tmp_path}/nobody.sock", f"redis://127.0.0.1:{free_port()}/0") as each:
            for one in each:
                assert [one.addresses.count("a").passes for _ in range(11)] == [True] * 10 + [False]
            await happens(lambda: len(logs) == 2)
            for one in each:
                assert not one.addresses.count("a").passes
                assert one.addresses.count("b").passes

    with capture_logs() as logs:
        asyncio.run(play())


def test_a_frozen_redis_keeps_nobody_waiting_not_even_at_the_end() -> None:
    async def play(frozen: socket.socket) -> None:
        async with counting(f"redis://127.0.0.1:{frozen.getsockname()[1]}/0") as (one,):
            one.addresses.count("a")
            await happens(lambda: bool(select.select([frozen], [], [], 0)[0]))  # from here on it waits for Redis
            assert [one.addresses.count("a").passes for _ in range(10)] == [True] * 9 + [False]
            async with asyncio.timeout(DEADLINE):
                await one.stop()
            assert asyncio.all_tasks() == {asyncio.current_task()}

    with socket.create_server(("127.0.0.1", 0)) as frozen:  # takes connections, and never answers
        asyncio.run(play(frozen))
