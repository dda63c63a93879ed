"""Waiting for something to become true, with a deadline instead of a sleep."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_pause = threading.Event()


def until(look: Callable[[], T], seconds: float = 10.0, *, what: str = "it") -> T:
    """The first truthy answer of ``look``; fails with the last one when the deadline passes."""
    ends = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > ends:
            raise AssertionError(f"{what} did not happen within {seconds} s; last seen: {found!r}")
        _pause.wait(0.03)
