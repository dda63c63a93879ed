"""Bodies that come slowly, or never whole."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvloop

from webhooks import http
from webhooks.http import Disconnected, announced_length, read_body, remote_address
from webhooks.inspection import Refused
from wedsync.strict_json import LARGEST

Receive = Callable[[], Awaitable[dict[str, Any]]]


def coming(*pieces: bytes, then: dict[str, Any] | None = None) -> Receive:
    """The pieces, and then this; without it nothing ever comes again."""
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages += [then] if then else []

    async def receive() -> dict[str, Any]:
        return messages.pop(0) if messages else await asyncio.get_running_loop().create_future()

    return receive


END = {"type": "http.request"}


def read(receive: Receive) -> bytes:
    return asyncio.run(read_body(receive, LARGEST))


def test_pieces_are_put_together() -> None:
    assert read(coming(b"a", b"", b"b", then=END)) == b"ab"


def test_a_body_that_stops_in_the_middle_is_408_and_closes_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "SLOWEST_BODY", 0.05)

    with pytest.raises(Refused) as raised:
        read(coming(b'{"id":'))

    problem = raised.value.problem
    assert (problem.status, problem.slug, problem.headers) == (408, "body-too-slow", {"Connection": "close"})


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_each_body_that_is_too_slow_is_told_so_on_every_event_loop(
    monkeypatch: pytest.MonkeyPatch, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """uvicorn takes uvloop, whose clock may stand a moment before the time that a timer was set for."""
    monkeypatch.setattr(http, "SLOWEST_BODY", 0.003)

    async def play() -> set[type]:
        ends = set()
        for _ in range(150):
            (end,) = await asyncio.gather(read_body(coming(), LARGEST), return_exceptions=True)
            ends.add(type(end))
        return ends

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(play()) == {Refused}


def test_drops_do_not_prolong_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "SLOWEST_BODY", 0.1)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b" ", "more_body": True}

    with pytest.raises(Refused) as raised:
        read(receive)

    assert raised.value.problem.status == 408


def test_after_a_body_that_was_too_slow_the_task_goes_on_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "SLOWEST_BODY", 0.05)

    async def play() -> int:
        with pytest.raises(Refused):
            await read_body(coming(), LARGEST)
        await asyncio.sleep(0.1)  # longer than the body's time
        task = asyncio.current_task()
        assert task
        return task.cancelling()

    assert asyncio.run(play()) == 0


def test_whoever_ends_the_process_ends_the_reading_too() -> None:
    async def play() -> None:
        task = asyncio.create_task(read_body(coming(b"a"), LARGEST))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(play())


def test_a_sender_that_goes_away_is_no_body() -> None:
    with pytest.raises(Disconnected):
        read(coming(b"a", then={"type": "http.disconnect"}))


def test_a_body_is_refused_as_soon_as_it_is_too_large() -> None:
    assert len(read(coming(b"x" * LARGEST, then=END))) == LARGEST
    with pytest.raises(Refused) as raised:
        read(coming(b"x" * LARGEST, b"x"))
    assert raised.value.problem.status == 413


@pytest.mark.parametrize(
    ("text", "length"), [("17", 17), ("0", 0), ("-1", 0), ("+5", 0), ("1e9", 0), ("", 0), ("9" * 30, 0), ("\xb2", 0)]
)
def test_a_length_that_is_no_number_announces_nothing(text: str, length: int) -> None:
    assert announced_length({"content-length": [text]}) == length
    assert announced_length({}) == 0


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (("203.0.113.7", 1), "203.0.113.7"),
        (("2001:DB8::0:1", 1), "2001:db8::1"),
        (("fe80::1%eth0", 1), "fe80::1"),
        (("unknown", 0), None),
        (("", 0), None),
        (None, None),
    ],
)
def test_an_address_is_one_that_postgresql_takes_or_none(client: tuple[str, int] | None, address: str | None) -> None:
    assert remote_address({"client": client}) == address
