"""When to try again."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.rules.retry import LONGEST_RETRY_AFTER, Schedule, next_delay

SCHEDULE = Schedule(quick=(1, 2, 4, 8), durable=(60, 300))


@given(st.integers(1, 50), st.integers(0, 2**32))
def test_the_wait_is_within_a_fifth_of_its_step(attempt: int, seed: int) -> None:
    step = [1, 2, 4, 8, 60, 300][min(attempt, 6) - 1]

    delay = next_delay(SCHEDULE, attempt, chance=random.Random(seed))

    assert step * 0.8 <= delay <= step * 1.2


@given(st.floats(0, 10**9))
def test_the_other_side_may_ask_for_a_longer_pause_up_to_an_hour(seconds: float) -> None:
    delay = next_delay(SCHEDULE, 1, retry_after=seconds)

    assert delay >= min(seconds, LONGEST_RETRY_AFTER)
    assert delay <= LONGEST_RETRY_AFTER


@pytest.mark.parametrize(
    ("attempt", "delay", "quick"), [(1, 1.1, True), (4, 9.6, True), (5, 1.0, False), (1, 3600, False)]
)
def test_only_early_and_short_waits_stay_in_a_workers_memory(attempt: int, delay: float, *, quick: bool) -> None:
    assert SCHEDULE.is_quick(attempt, delay) is quick
