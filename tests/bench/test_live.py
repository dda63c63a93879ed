"""The bench of the live channels in its shortest form: what it counts and what it writes, no speed."""

import json
from pathlib import Path

import pytest

from bench.live.__main__ import main, ratios
from bench.live.fan_out import BARE, OURS, SSE, STOCK, Measurement


def measured(side: str, sockets: int, *milliseconds: float) -> Measurement:
    return Measurement(side, sockets, list(milliseconds), cpu_microseconds=10.0, bytes_per_socket=4096.0)


def test_a_ratio_is_of_the_most_sockets_and_the_median_of_the_rounds_own() -> None:
    found = [
        measured(OURS, 2, 1), measured(BARE, 2, 100), measured(STOCK, 2, 1), measured(SSE, 2, 1),
        measured(OURS, 9, 2, 3), measured(BARE, 9, 1, 1), measured(STOCK, 9, 6),
        measured(BARE, 9, 2), measured(OURS, 9, 2), measured(STOCK, 9, 8),
        measured(OURS, 9, 8), measured(BARE, 9, 4), measured(STOCK, 9, 8),
        measured(SSE, 9, 3), measured(SSE, 9, 3), measured(SSE, 9, 2),
    ]  # fmt: skip

    assert ratios(found) == {
        "p99_vs_bare": 2.0, "p99_vs_stock_pubsub": 0.5, "cpu_vs_bare": 1.0, "memory_vs_bare": 1.0,
        "p99_sse_vs_bare": 1.5,
        "webhook_p99_fanout_vs_idle": None,
    }  # fmt: skip


@pytest.mark.timeout(240)
def test_each_side_reaches_every_socket(tmp_path: Path) -> None:
    output = tmp_path / "live.json"

    assert main(["--rounds", "1", "--sockets", "30", "--events", "2", "--output", str(output)]) == 0

    written = json.loads(output.read_text())
    assert {each["side"] for each in written["measurements"]} == {OURS, SSE, BARE, STOCK}
    assert all(each["p99_ms"] > 0 for each in written["measurements"])
    assert written["ratios"]["p99_vs_bare"] > 0
    assert written["ratios"]["p99_sse_vs_bare"] > 0
    assert written["ratios"]["webhook_p99_fanout_vs_idle"] > 0
    assert written["webhooks_refused"] == 0
