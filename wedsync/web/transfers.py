"""Bodies in transit, in or out: how slow each may be, and how much of all of them may be in memory.

They are transferred on the event loop (docs/adr/0054).
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from wedsync.wire.problems import Problem

CLOSE = {"Connection": "close"}
_SOON = 0.001  # seconds; uvloop's clock may be slightly before the time that a timer was set for


class BodyRefused(Exception):
    """The body is refused. ``problem``: the answer, after which the connection closes."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.slug)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Pace:
    """How slow a transfer may be.

    Attributes:
        idle: the most seconds without a byte.
        slowest: the lowest average since the beginning in bytes per second, once ``idle`` seconds have passed.
    """

    idle: float
    slowest: float

    def ends_at(self, began: float, last: float, moved: int) -> float:
        """When a transfer becomes too slow, unless more bytes move before.

        Arguments:
            began, last: the times of the beginning and of the latest byte, in seconds of one clock.
            moved: bytes since the beginning.
        """
        return min(last + self.idle, began + max(self.idle, moved / self.slowest))


class Transfer:
    """One body in transit in the current task; ended from outside when it is too slow or must give way.

    Use :meth:`begin` and :meth:`finish` around what waits for the peer, and :meth:`moved` after each piece. When the
    task is cancelled meanwhile, :attr:`ended_by` tells whether this transfer was ended, and why.
    """

    __slots__ = ("_began", "_last", "_loop", "_moved", "_pace", "_task", "_timer", "ended_by", "held")

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.held = 0  # bytes in the room
        self.ended_by: Problem | None = None

    def begin(self) -> None:
        """Start the clock."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (a coroutine that runs has one)
        self._task: asyncio.Task[Any] = task
        self._loop = asyncio.get_running_loop()
        self._began = self._last = self._loop.time()
        self._moved = 0
        # One timer that checks again when it fires; asyncio.timeout for each piece costs twice as much.
        self._timer = self._loop.call_later(self._pace.idle, self._judge)

    def hurry(self, pace: Pace) -> None:
        """Restart the clock with another pace."""
        self._timer.cancel()
        self._pace = pace
        self._began = self._last = self._loop.time()
        self._moved = 0
        self._timer = self._loop.call_later(pace.idle, self._judge)

    def moved(self, size: int) -> None:
        """Count bytes that have moved."""
        if size:
            self._last = self._loop.time()
            self._moved += size

    def finish(self) -> None:
        """Stop the clock."""
        self._timer.cancel()

    def end(self, problem: Problem) -> None:
        """End it now; its task is cancelled and answers the peer."""
        if self.ended_by is None:
            self.ended_by = problem
            self._task.cancel()

    def was_ended(self) -> bool:
        """After a cancellation: whether ending this transfer was the only reason for it."""
        return self.ended_by is not None and self._task.uncancel() == 0

    def _judge(self) -> None:
        until = self._pace.ends_at(self._began, self._last, self._moved)
        if until - self._loop.time() < _SOON:
            self.end(too_slow(self._pace))
        else:
            self._timer = self._loop.call_at(until, self._judge)


class Room:
    """The bytes that bodies may hold in memory together.

    When there is no room left, the body that has been in transit longest gives way: a sender at an ordinary pace is
    done before others can fill the room.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._moving: dict[Transfer, None] = {}  # oldest first

    @property
    def held(self) -> int:
        """The bytes held now."""
        return self._held

    def enter(self, transfer: Transfer) -> None:
        """From now on the transfer may have to give way."""
        self._moving[transfer] = None

    def arrived(self, transfer: Transfer) -> None:
        """The transfer holds its bytes until it leaves, and no longer has to give way."""
        self._moving.pop(transfer, None)

    def take(self, transfer: Transfer, size: int) -> None:
        """Hold more bytes.

        Raises:
            BodyRefused: there is no room, and no older transfer to give way.
        """
        while self._held + size > self._most:
            oldest = next(iter(self._moving), transfer)
            if oldest is transfer:
                raise BodyRefused(NO_ROOM)
            self.leave(oldest)
            oldest.end(NO_ROOM)
        self._held += size
        transfer.held += size

    def leave(self, transfer: Transfer) -> None:
        """Release all bytes of a transfer."""
        self._moving.pop(transfer, None)
        self._held -= transfer.held
        transfer.held = 0


def too_slow(pace: Pace) -> Problem:
    """The answer to a sender who is too slow."""
    detail = (
        f"The body stalled for {pace.idle:g} s, or arrived more slowly than {pace.slowest:g} bytes a second. "
        "Send it again, without pauses."
    )
    return Problem(408, "body-too-slow", detail, headers=CLOSE)


NO_ROOM = Problem(
    503,
    "too-much-at-once",
    "Too many large bodies are arriving at once. Nothing was done. Send the same request again.",
    headers={"Retry-After": "5", **CLOSE},
)
