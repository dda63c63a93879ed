"""When to try again. Pure: the caller gives the attempt's number and stores the result. docs/adr/0002."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

JITTER = 0.2
LONGEST_RETRY_AFTER = 3600.0


@dataclass(frozen=True)
class Schedule:
    """Seconds to wait after each failed attempt; the last durable step repeats until the delivery expires."""

    quick: Sequence[float]
    durable: Sequence[float]

    def is_quick(self, attempt: int, delay: float) -> bool:
        """Whether the wait after this attempt (1 is the first) may pass in a worker's memory: early and short."""
        return attempt <= len(self.quick) and delay <= max(self.quick) * (1 + JITTER)


def next_delay(
    schedule: Schedule, attempt: int, *, retry_after: float | None = None, chance: random.Random | None = None
) -> float:
    """Seconds until the next attempt, within 20 % of the schedule's step.

    ``retry_after``: seconds that the other side asked for; used if longer than the step, up to an hour.
    """
    steps = [*schedule.quick, *schedule.durable]
    step = steps[min(attempt, len(steps)) - 1]
    delay = step * (chance or random).uniform(1 - JITTER, 1 + JITTER)
    if retry_after is None:
        return delay
    return max(delay, min(retry_after, LONGEST_RETRY_AFTER))
