"""A limit on the time of one piece of work that somebody waits for: a dry run.

Whatever can take long checks the time here. Outside of :func:`within`, as in routing, there is no limit.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_until: ContextVar[float | None] = ContextVar("end of the time for the present work", default=None)


class OutOfTime(Exception):
    """The time is up; the message is for staff."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Limit the block to a number of seconds."""
    token = _until.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _until.reset(token)


def look_at_the_clock() -> None:
    """Check the time.

    Raises:
        OutOfTime: the time is up.
    """
    if not left():
        raise OutOfTime("omitted: the time for one dry run was up")


def left() -> float:
    """The seconds left; infinite without a limit, 0 when the time is up."""
    until = _until.get()
    return float("inf") if until is None else max(0.0, until - time.monotonic())
