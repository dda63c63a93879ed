"""The Python client in a thread, as a test plays with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from clients.python.wedsync_live import (
    Live,
    LiveError,
    State,
    Times,
    tickets_by_key,
)
from tests.live.world import World
from tests.polling import until

TIMES = Times(patience=1.5, trust=0.5, ping=3, first=0.2, longest=1, settled=1)


class Listener:
    """A thread that follows, and what it was told."""

    def __init__(self, tickets: Any, channels: list[str], times: Times, **how: Any) -> None:
        self.shown: list[int] = []
        self.states: list[State] = []
        self.error: Exception | None = None
        self.following = Live(tickets, times=times).follow(channels, on_state=self.states.append, **how)
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        try:
            for event in self.following:
                self.shown.append(event.payload["capacity"])
        except LiveError as error:
            self.error = error

    def becomes(self, state: str, seconds: float = 10) -> None:
        until(lambda: self.states and self.states[-1].name == state, seconds, what=f"{state} ({self.states})")

    def shows(self, capacities: list[int], seconds: float = 10) -> None:
        until(lambda: len(self.shown) >= len(capacities), seconds, what=f"{capacities} ({self.shown}, {self.states})")
        assert self.shown == capacities

    def ends(self, seconds: float = 10) -> None:
        self._thread.join(seconds)
        assert not self._thread.is_alive()


@contextmanager
def listening(
    world: World, *channels: str, port: int | None = None, times: Times = TIMES, **how: Any
) -> Iterator[Listener]:
    tickets = tickets_by_key(f"http://127.0.0.1:{port or world.product.port}", world.token)
    listener = Listener(tickets, list(channels or [couple(world)]), times, **how)
    try:
        yield listener
    finally:
        listener.following.close()
        listener.ends()


def couple(world: World) -> str:
    return f"couple:dashboard:{world.wedding.id}"
