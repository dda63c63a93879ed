"""The bench of isolation in its shortest form: what it counts and what it writes; no speed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.isolation.breaker import Calls
from bench.isolation.report import as_json
from bench.isolation.stage import OPEN_SECONDS
from tests.bench.running import figures_of

SHORTEST = ["--rounds", "1", "--modes", "refusing", "--waiting", "200", "--seconds", "3", "--count", "40"]
MIDNIGHT = datetime(2027, 5, 1, tzinfo=UTC)


def after(*seconds: float) -> list[datetime]:
    return [MIDNIGHT + timedelta(seconds=each) for each in seconds]


@pytest.mark.timeout(240)
def test_a_dead_target_is_left_alone_soon_and_failing_ones_get_everything(tmp_path: Path) -> None:
    found = figures_of("bench.isolation", SHORTEST, tmp_path / "isolation.json")

    assert set(found["ratios"]) == {"others_p99_dead_refusing", "others_p99_dead_hanging"}
    assert found["ratios"]["others_p99_dead_refusing"] > 0
    assert found["ratios"]["others_p99_dead_hanging"] is None
    assert 5 <= found["calls_before_open"] <= 9
    assert found["calls_while_open"] <= 1
    assert found["delivered_percent"] == 100
    assert found["flaky"]["attempts"] > found["flaky"]["count"]
    refusing = found["dead"]["situations"][1]
    assert refusing["opened"]
    assert refusing["waiting"] == 200
    assert {name: part["probes"] for name, part in found["dead"]["others"]["alone"].items() if part}["all"] == 60


def test_calls_count_by_the_opening_before_which_they_had_leave() -> None:
    late = OPEN_SECONDS / 4
    reopened = 2 * OPEN_SECONDS

    calls = Calls.of(after(0, 1, 2, 2 + late, 2 + OPEN_SECONDS, 2 + reopened), after(2, 3 + OPEN_SECONDS))

    assert calls == Calls(opened=True, before_open=4, while_open=[1, 1])
    assert Calls.of(after(0, 1), []) == Calls(opened=False, before_open=2, while_open=[])


def test_what_was_left_out_is_null() -> None:
    found = as_json()

    assert found["calls_before_open"] is None
    assert found["delivered_percent"] is None
    assert set(found["ratios"].values()) == {None}
