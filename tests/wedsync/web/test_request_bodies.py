"""Bodies that come slowly, never whole, too large, or too many at once."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from wedsync.web.request_bodies import Beyond, BodyReader, Disconnected, announced_length
from wedsync.web.transfers import BodyRefused, Pace, Room

Receive = Callable[[], Awaitable[dict[str, Any]]]
LARGEST = 256 * 1024
PLENTY = 64 * 1024 * 1024
PATIENT = Pace(idle=10, slowest=8192)


def coming(*pieces: bytes, then: dict[str, Any] | None = None) -> Receive:
    """The pieces, and then this; without it nothing ever comes again."""
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages += [then] if then else []

    async def receive() -> dict[str, Any]:
        return messages.pop(0) if messages else await asyncio.get_running_loop().create_future()

    return receive


def dripping(piece: bytes, pause: float) -> Receive:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": piece, "more_body": True}

    return receive


END = {"type": "http.request"}


def read(receive: Receive, pace: Pace = PATIENT, room: Room | None = None) -> bytes:
    return asyncio.run(BodyReader(room or Room(PLENTY), pace).read(receive, LARGEST))


def refused(receive: Receive, pace: Pace = PATIENT) -> tuple[int, str, str | None]:
    with pytest.raises(BodyRefused) as raised:
        read(receive, pace)
    problem = raised.value.problem
    return problem.status, problem.slug, problem.headers.get("Connection")


def test_pieces_are_put_together() -> None:
    assert read(coming(b"a", b"", b"b", then=END)) == b"ab"


def test_a_body_that_stops_in_the_middle_is_408_and_closes_the_connection() -> None:
    assert refused(coming(b'{"id":'), Pace(idle=0.05, slowest=1)) == (408, "body-too-slow", "close")


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_each_body_that_is_too_slow_is_told_so_on_every_event_loop(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """uvicorn takes uvloop, whose clock may stand a moment before the time that a timer was set for."""
    reader = BodyReader(Room(PLENTY), Pace(idle=0.003, slowest=1))

    async def play() -> set[type]:
        ends = set()
        for _ in range(150):
            (end,) = await asyncio.gather(reader.read(coming(), LARGEST), return_exceptions=True)
            ends.add(type(end))
        return ends

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(play()) == {BodyRefused}


def test_drops_do_not_prolong_the_time() -> None:
    assert refused(dripping(b" ", 0.01), Pace(idle=0.1, slowest=8192))[0] == 408


@pytest.mark.parametrize(
    ("moved", "last", "ends"),
    [
        (0, 0, 10),  # nothing came
        (1, 9, 10),  # a drop now and then does not help
        (8192 * 20, 1, 11),  # a quick beginning does not allow a long pause
        (8192 * 20, 15, 20),  # the average counts
        (10**9, 50, 60),
    ],
)
def test_a_pace_allows_neither_a_pause_nor_a_trickle(moved: int, last: float, ends: float) -> None:
    assert PATIENT.ends_at(0, last, moved) == ends


@given(
    st.lists(st.tuples(st.floats(0, 12), st.integers(0, 200_000)), max_size=40),
    st.floats(0.1, 20),
    st.floats(1, 100_000),
)
def test_whatever_comes_a_pace_ends_within_the_time_that_its_bytes_are_worth(
    pieces: list[tuple[float, int]], idle: float, slowest: float
) -> None:
    pace = Pace(idle, slowest)
    now = last = 0.0
    moved = 0
    for pause, size in pieces:
        if now + pause >= pace.ends_at(0, last, moved):
            break
        now += pause
        last, moved = (now, moved + size) if size else (last, moved)

    end = pace.ends_at(0, last, moved)

    assert end <= last + idle
    assert end <= max(idle, moved / slowest)
    assert not math.isnan(end)


def test_after_a_body_that_was_too_slow_the_task_goes_on_as_any_other() -> None:
    reader = BodyReader(Room(PLENTY), Pace(idle=0.05, slowest=1))

    async def play() -> int:
        with pytest.raises(BodyRefused):
            await reader.read(coming(), LARGEST)
        await asyncio.sleep(0.1)  # longer than the body's time
        task = asyncio.current_task()
        assert task
        return task.cancelling()

    assert asyncio.run(play()) == 0


def test_whoever_ends_the_process_ends_the_reading_too() -> None:
    async def play() -> None:
        task = asyncio.create_task(BodyReader(Room(PLENTY), PATIENT).read(coming(b"a"), LARGEST))
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
    assert refused(coming(b"x" * LARGEST, b"x")) == (413, "body-too-large", "close")


def test_without_room_the_oldest_unfinished_body_gives_way_and_the_newest_is_read() -> None:
    """So nobody fills the room with bodies that never end."""
    room = Room(100)
    reader = BodyReader(room, PATIENT)

    async def play() -> list[Any]:
        old = asyncio.create_task(reader.read(coming(b"x" * 60), LARGEST))
        await asyncio.sleep(0.01)
        new = asyncio.create_task(reader.read(coming(b"y" * 30, b"y" * 30, then=END), LARGEST))
        return await asyncio.gather(old, new, return_exceptions=True)

    old, new = asyncio.run(play())

    assert isinstance(old, BodyRefused)
    assert (old.problem.status, old.problem.slug) == (503, "too-much-at-once")
    assert old.problem.headers["Retry-After"]
    assert new == b"y" * 60
    assert room.held == 0


def test_a_body_that_is_here_keeps_its_room_until_it_is_released() -> None:
    room = Room(100)
    reader = BodyReader(room, PATIENT)

    async def play() -> tuple[int, int, int]:
        body, held = await reader.read_and_hold(coming(b"x" * 40, b"x" * 30, then=END), LARGEST)
        with pytest.raises(BodyRefused) as raised:
            await reader.read_and_hold(coming(b"y" * 40, then=END), LARGEST)
        occupied = room.held
        reader.release(held)
        _, again = await reader.read_and_hold(coming(b"y" * 40, then=END), LARGEST)
        reader.release(again)
        return raised.value.problem.status, occupied, len(body)

    assert asyncio.run(play()) == (503, 70, 70)
    assert room.held == 0


@given(st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=4), min_size=1, max_size=12))
def test_whatever_comes_together_the_room_is_never_exceeded_and_empty_at_the_end(bodies: list[list[int]]) -> None:
    room = Room(100)
    reader = BodyReader(room, PATIENT)
    seen: list[int] = []

    async def one(sizes: list[int]) -> int:
        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0)
            seen.append(room.held)
            return {"type": "http.request", "body": b"z" * sizes[len(done)], "more_body": len(done) + 1 < len(sizes)}

        done: list[None] = []

        async def counting() -> dict[str, Any]:
            message = await receive()
            done.append(None)
            return message

        return len(await reader.read(counting, LARGEST))

    async def play() -> list[Any]:
        return await asyncio.gather(*(one(sizes) for sizes in bodies), return_exceptions=True)

    for sizes, end in zip(bodies, asyncio.run(play()), strict=True):
        assert end == sum(sizes) or isinstance(end, BodyRefused)
    assert max(seen) <= 100
    assert room.held == 0


@pytest.mark.parametrize(
    ("text", "length"), [("17", 17), ("0", 0), ("-1", 0), ("+5", 0), ("1e9", 0), ("", 0), ("9" * 30, 0), ("\xb2", 0)]
)
def test_a_length_that_is_no_number_announces_nothing(text: str, length: int) -> None:
    assert announced_length(text) == length
    assert announced_length(text.encode("latin-1")) == length


def beyond(
    receive: Receive, *, announced: int = 0, wanted: bool = True, room: int = PLENTY, pace: Pace = PATIENT
) -> bytes:
    """Read at most twice as much as may be taken, with 50 ms without a byte from where it is too much."""
    limit = Beyond(2 * LARGEST, Pace(idle=0.05, slowest=1), lambda: wanted)
    return asyncio.run(BodyReader(Room(room), pace).read_beyond(receive, LARGEST, announced, limit))


HALF = b"x" * (LARGEST // 2)


@pytest.mark.parametrize("announced", [0, 3 * len(HALF)])
def test_a_body_that_is_too_large_is_read_on_where_it_is_wanted(announced: int) -> None:
    assert len(beyond(coming(HALF, HALF, HALF, then=END), announced=announced)) == 3 * len(HALF)
    assert beyond(coming(b"a", then=END)) == b"a", "one that is small enough is none"


@pytest.mark.parametrize(
    ("receive", "options"),
    [
        (coming(HALF, HALF, HALF), {}),
        (coming(), {"announced": LARGEST + 1}),
        (coming(HALF, HALF, HALF, HALF, b"x", then=END), {}),
        (coming(), {"announced": 2 * LARGEST + 1}),
        (coming(HALF, HALF, HALF), {"wanted": False}),
        (coming(), {"announced": LARGEST + 1, "wanted": False}),
        (coming(HALF, HALF, HALF, then=END), {"room": LARGEST}),
    ],
    ids=["stops", "never comes", "far too large", "announced so", "not wanted", "announced, not wanted", "no room"],
)
def test_whatever_becomes_of_a_body_that_is_too_large_that_is_what_is_wrong_with_it(
    receive: Receive, options: dict[str, Any]
) -> None:
    with pytest.raises(BodyRefused) as raised:
        beyond(receive, **options)

    assert (raised.value.problem.status, raised.value.problem.slug) == (413, "body-too-large")


def test_one_that_is_not_too_large_yet_keeps_its_pace() -> None:
    with pytest.raises(BodyRefused) as raised:
        beyond(coming(HALF), pace=Pace(idle=0.05, slowest=1))

    assert raised.value.problem.status == 408
