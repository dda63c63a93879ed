"""Large bodies take turns: one of a connection at a time, in threads of their own."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from webhooks.committer import StorageAway
from webhooks.requests import large_bodies
from webhooks.requests.large_bodies import LargeBodies


class Work:
    """What reads a body, until it is let go."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.begun: list[str] = []
        self._lock = threading.Lock()
        self.at_once = self.most_at_once = 0

    def of(self, name: str, *, waits: bool = True) -> Callable[[], str]:
        def read() -> str:
            with self._lock:
                self.begun.append(name)
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
            if waits:
                self.free.wait(10)
            with self._lock:
                self.at_once -= 1
            return name

        return read


def test_what_one_connection_sends_takes_one_place_and_leaves_the_other_to_others() -> None:
    work = Work()

    async def play() -> tuple[str, list[str]]:
        bodies = LargeBodies(threads=2)
        many = [asyncio.create_task(bodies.read("one", work.of(f"one {number}"))) for number in range(5)]
        await asyncio.sleep(0)
        other = await bodies.read("other", work.of("other", waits=False))
        work.free.set()
        return other, await asyncio.gather(*many)

    assert asyncio.run(play()) == ("other", [f"one {number}" for number in range(5)])
    assert work.begun.count("other") == 1
    assert work.begun[:2] in (["one 0", "other"], ["other", "one 0"])
    assert work.most_at_once <= 2


def test_a_body_that_waits_too_long_for_its_turn_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_bodies, "PATIENCE", 0.05)
    work = Work()

    async def play() -> str:
        bodies = LargeBodies()
        first = asyncio.create_task(bodies.read("one", work.of("first")))
        await asyncio.sleep(0)
        with pytest.raises(StorageAway):
            await bodies.read("one", work.of("second"))
        work.free.set()
        assert await first == "first"
        return await bodies.read("one", work.of("third"))

    assert asyncio.run(play()) == "third"
    assert work.begun == ["first", "third"]


def test_what_reading_raises_reaches_its_own_sender_and_ends_the_turn() -> None:
    def broken() -> str:
        raise ValueError("this one")

    async def play() -> str:
        bodies = LargeBodies()
        with pytest.raises(ValueError, match="this one"):
            await bodies.read("one", broken)
        return await bodies.read("one", lambda: "next")

    assert asyncio.run(play()) == "next"
