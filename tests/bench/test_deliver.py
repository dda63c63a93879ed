"""The delivery bench in its shortest form: that it runs, what it counts and what it writes; no speed."""

from pathlib import Path

import pytest

from bench.deliver.report import Asked, as_json, ratio
from bench.deliver.throughput import BARE, OURS, Measurement
from bench.deliver.urgent import Times
from tests.bench.running import figures_of

RATIOS = {"throughput_0ms", "throughput_200ms", "throughput_1000ms", "urgent_p99_backlog"}
SHORTEST = ["--only", "throughput", "--rounds", "1", "--latency", "0", "--count", "50"]


def measured(number: int, side: str, seconds: float) -> Measurement:
    return Measurement(number, side, 0, 100, 25, seconds, duplicates=0, most_in_flight=25, processor_ms={})


@pytest.mark.timeout(240)
def test_one_short_run_delivers_everything_on_both_sides_and_writes_its_figures(tmp_path: Path) -> None:
    found = figures_of("bench.deliver", SHORTEST, tmp_path / "deliver.json")

    assert set(found["ratios"]) == RATIOS
    assert found["ratios"]["throughput_0ms"] > 0
    assert found["ratios"]["throughput_1000ms"] is None
    assert {each["side"]: each["count"] for each in found["measurements"]} == {OURS: 50, BARE: 50}
    assert all(each["duplicates"] == 0 and each["processor_ms"]["workers"] > 0 for each in found["measurements"])
    assert found["urgent_p99_ms_draining"] is None
    assert found["idle_cpu_percent"] is None


def test_a_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    measurements = [
        measured(1, OURS, 2), measured(1, BARE, 1), measured(2, BARE, 10), measured(2, OURS, 10),
        measured(3, OURS, 4), measured(3, BARE, 1),
    ]  # fmt: skip

    assert ratio(measurements, 0) == 0.5
    assert ratio(measurements, 200) is None
    assert as_json(measurements)["rates"]["ours_0ms"] == 25


def test_percentiles_are_times_that_were_seen() -> None:
    assert Times.of([float(number) for number in range(100, 0, -1)]) == Times(100, 51, 100, 100)


def test_what_was_not_measured_neither_passes_nor_fails() -> None:
    asked = Asked("throughput", 0.5, least=True)

    assert "pass" in asked.verdict(0.5)
    assert "fail" in asked.verdict(0.49)
    assert asked.verdict(None) == "not measured"
    assert "fail" in Asked("p99", 1.5).verdict(1.6)
