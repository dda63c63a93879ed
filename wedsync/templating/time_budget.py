"""A bound on the time that one piece of work may take, where somebody waits for it: a dry run.

Whatever can take long looks at the clock here. Outside of :func:`within`, as in routing, nothing is bounded.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_until: ContextVar[float | None] = ContextVar("end of the time for the present work", default=None)


class OutOfTime(Exception):
    """The time is over; the message is for staff."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Bound what happens inside to so many seconds."""
    token = _until.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _until.reset(token)


def look_at_the_clock() -> None:
    """Go on, or end.

    Raises:
        OutOfTime: the time is over.
    """
    if not left():
        raise OutOfTime("left out: the time for one dry run was over")


def left() -> float:
    """Seconds that are left; infinite where nothing is bounded, 0 where the time is over."""
    until = _until.get()
    return float("inf") if until is None else max(0.0, until - time.monotonic())
