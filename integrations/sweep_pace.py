"""Limits how often a process does work that each round of the sweep offers."""

import time


class Pace:
    """Lets work through at most once per ``seconds`` in this process."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = 0.0

    def is_due(self) -> bool:
        """Whether it is time; if so, the next time is ``seconds`` from now."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True
