"""The bench in its shortest form: what it counts and what it writes, no speed."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.ground import ROOT
from bench.ingest import memory
from bench.ingest.load import Played, judged
from bench.ingest.measuring import reconcile
from bench.ingest.report import Measurement, Results

RATIOS = {
    "vs_insert_per_request_32",
    "vs_insert_per_request_100",
    "vs_group_commit_100",
    "vs_django_view_100",
    "full_table_cost",
}
SHORTEST = [
    "--rounds", "1", "--seconds", "1", "--connections", "100", "--full-rows", "3000", "--memory-requests", "500",
]  # fmt: skip
SEEN = {"statuses": {"202": 10}, "ran_out": False, "microseconds": 1e6, "errors": 0, "p50": 1, "p99": 2, "longest": 3}


@pytest.mark.timeout(300)
def test_one_short_run_measures_every_server_and_writes_its_figures(tmp_path: Path) -> None:
    if not shutil.which("wrk"):
        pytest.skip("wrk is not installed: apt-get install wrk")
    written = tmp_path / "ingest.json"

    done = subprocess.run(
        [sys.executable, "-m", "bench.ingest", *SHORTEST, "--output", str(written)],
        cwd=ROOT, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    content = json.loads(written.read_text())
    assert set(content["ratios"]) == RATIOS
    assert all(content["ratios"][name] > 0 for name in RATIOS - {"vs_insert_per_request_32"})
    assert content["p99_ms_100_connections"] > 0
    assert (
        content["machine"]["postgres"] | {"fsync": "on", "synchronous_commit": "on"} == content["machine"]["postgres"]
    )
    assert {each["server"] for each in content["measurements"]} == {
        "ours", "insert_per_request", "group_commit", "django_view", "ours_full",
    }  # fmt: skip
    assert content["memory"]["requests"] >= 500


@pytest.mark.parametrize("stored", [[99], [111], [100, 99, 100], [105, 105, 104]])
def test_a_row_too_few_or_too_many_makes_the_run_fail(stored: list[int]) -> None:
    with pytest.raises(BenchError, match="new rows"):
        reconcile("ours", 100, stored, connections=10)


def test_requests_under_way_at_the_end_may_be_stored() -> None:
    reconcile("ours", 100, [100, 100], connections=10)
    reconcile("ours", 100, [110, 110], connections=10)


@pytest.mark.parametrize(
    "change", [{"statuses": {"202": 9, "503": 1}}, {"statuses": {}}, {"errors": 1}, {"ran_out": True}]
)
def test_a_measurement_with_another_answer_an_error_or_too_few_requests_does_not_count(
    change: dict[str, object],
) -> None:
    assert judged(SEEN).answers == 10
    with pytest.raises(BenchError):
        judged(SEEN | change)


def test_a_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    results = Results()
    for server, rates in (("ours", (800, 90, 9000)), ("insert_per_request", (1000, 100, 10_000))):
        for number, rate in enumerate(rates, 1):
            results.measurements.append(Measurement(number, server, 32, Played(rate, 1.0, 1.0, 2.0, 3.0)))

    assert results.ratios()["vs_insert_per_request_32"] == 0.9
    assert results.ratios()["vs_group_commit_100"] is None


def test_memory_is_flat_when_it_grows_by_less_than_a_tenth_after_the_warm_up() -> None:
    samples = [(0, 50), (30_000, 90), (60_000, 100), (200_000, 109)]

    assert memory.judged(samples, warm_up=50_000)["flat"]
    assert not memory.judged([*samples, (210_000, 111)], warm_up=50_000)["flat"]
