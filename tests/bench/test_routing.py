"""The bench of routes in its shortest form: what it counts and what it writes, no speed."""

import json
from pathlib import Path

import pytest

from bench.routing.__main__ import main, ratios


def test_a_ratio_is_the_most_routes_by_the_fewest() -> None:
    rows = [
        {"kind": kind, "routes": routes, "median_ms": routes / divisor}
        for kind, divisor in (("spread", 10.0), ("alike", 20.0))
        for routes in (100, 10)
    ]

    assert ratios(rows) == {"cost_100_over_10": 10.0, "cost_100_over_10_alike": 10.0}


@pytest.mark.timeout(300)
def test_each_number_of_routes_is_measured_and_five_match(tmp_path: Path) -> None:
    output = tmp_path / "routing.json"

    assert main(["--rounds", "2", "--counts", "10", "60", "--output", str(output)]) == 0

    written = json.loads(output.read_text())
    assert set(written["ratios"]) == {"cost_60_over_10", "cost_60_over_10_alike"}
    assert [(row["routes"], row["candidates"], row["matching"]) for row in written["measurements"]] == [
        (10, 5, 5), (60, 5, 5), (10, 5, 5), (60, 5, 5),
    ]  # fmt: skip
