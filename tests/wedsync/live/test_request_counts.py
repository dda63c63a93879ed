"""How many requests a socket may make in a second."""

from typing import Any

import pytest

from wedsync.live.sockets.request_counts import RequestCount


@pytest.fixture(autouse=True)
def fifty(settings: Any) -> None:
    settings.LIMIT_PER_SOCKET = 50


def test_fifty_in_a_second_are_allowed_and_those_beyond_are_not() -> None:
    count = RequestCount()
    assert [count.allows_another(100.0) for _ in range(60)] == [True] * 50 + [False] * 10
    assert not count.goes_on

    assert count.allows_another(101.0)


def test_who_goes_on_for_as_many_again_is_to_be_closed() -> None:
    count = RequestCount()
    for _ in range(100):
        count.allows_another(100.0)
    assert not count.goes_on

    count.allows_another(100.9)

    assert count.goes_on


def test_a_little_too_much_in_each_second_adds_up_and_a_quiet_second_ends_that() -> None:
    steady, calmed = RequestCount(), RequestCount()
    for second in range(6):
        for _ in range(60):
            steady.allows_another(100.0 + second)
        for _ in range(60 if second % 2 else 50):
            calmed.allows_another(100.0 + second)

    assert steady.goes_on
    assert not calmed.goes_on
