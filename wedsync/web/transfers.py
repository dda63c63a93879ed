"""Bodies on their way in or out: how slowly they may travel, and how much of all of them may be in memory.

They are moved on the event loop (docs/adr/0054).
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from wedsync.wire.problems import Problem

CLOSE = {"Connection": "close"}
_SOON = 0.001  # seconds; a clock of uvloop's may be a moment before the time that a timer was set for


class BodyRefused(Exception):
    """The body cannot be taken. ``problem``: the answer, after which the connection closes."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.slug)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Pace:
    """How slowly bytes may travel.

    Attributes:
        idle: seconds that may pass without a byte.
        slowest: bytes a second, on average since the beginning, once ``idle`` seconds have passed.
    """

    idle: float
    slowest: float

    def ends_at(self, began: float, last: float, moved: int) -> float:
        """When it becomes too slow, unless more bytes move until then.

        Arguments:
            began, last: the times of the beginning and of the newest byte, in seconds of one clock.
            moved: bytes since the beginning.
        """
        return min(last + self.idle, began + max(self.idle, moved / self.slowest))


class Transfer:
    """One body on its way in or out, in the present task; ended from outside when it is too slow, or must give way.

    Use :meth:`begin` and :meth:`finish` around what waits for the peer, :meth:`moved` after each piece. When the task
    is cancelled meanwhile, :attr:`ended_by` tells whether it was this transfer's end, and which.
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
        # One timer that looks again when it rings; asyncio.timeout for each piece costs twice as much.
        self._timer = self._loop.call_later(self._pace.idle, self._judge)

    def hurry(self, pace: Pace) -> None:
        """Begin anew at another pace."""
        self._timer.cancel()
        self._pace = pace
        self._began = self._last = self._loop.time()
        self._moved = 0
        self._timer = self._loop.call_later(pace.idle, self._judge)

    def moved(self, size: int) -> None:
        """So many bytes more have moved."""
        if size:
            self._last = self._loop.time()
            self._moved += size

    def finish(self) -> None:
        """Stop the clock."""
        self._timer.cancel()

    def end(self, problem: Problem) -> None:
        """End it now; its task is cancelled, and tells its peer."""
        if self.ended_by is None:
            self.ended_by = problem
            self._task.cancel()

    def was_ended(self) -> bool:
        """After a cancellation: whether this transfer's end was the reason, and nothing else wants the task to end."""
        return self.ended_by is not None and self._task.uncancel() == 0

    def _judge(self) -> None:
        until = self._pace.ends_at(self._began, self._last, self._moved)
        if until - self._loop.time() < _SOON:
            self.end(too_slow(self._pace))
        else:
            self._timer = self._loop.call_at(until, self._judge)


class Room:
    """The bytes that bodies may hold in memory together.

    Where no room is left, the body that has been under way for longest gives way: a sender at an ordinary pace is done
    before others can fill the room.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._moving: dict[Transfer, None] = {}  # oldest first

    @property
    def held(self) -> int:
        """Bytes that are held now."""
        return self._held

    def enter(self, transfer: Transfer) -> None:
        """It may be told to give way from now on."""
        self._moving[transfer] = None

    def arrived(self, transfer: Transfer) -> None:
        """It holds its bytes until it leaves, and need not give way any more."""
        self._moving.pop(transfer, None)

    def take(self, transfer: Transfer, size: int) -> None:
        """Hold so many bytes more.

        Raises:
            BodyRefused: there is no room, and nobody older to give way.
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
        """Give back all that it holds."""
        self._moving.pop(transfer, None)
        self._held -= transfer.held
        transfer.held = 0


def too_slow(pace: Pace) -> Problem:
    """What is said to somebody who sends too slowly."""
    detail = (
        f"The body stopped for {pace.idle:g} s, or came more slowly than {pace.slowest:g} bytes a second. "
        "Send it again, without pauses."
    )
    return Problem(408, "body-too-slow", detail, headers=CLOSE)


NO_ROOM = Problem(
    503,
    "too-much-at-once",
    "Too many large bodies arrive at once. Nothing was done. Send the same request again.",
    headers={"Retry-After": "5", **CLOSE},
)
