"""``python -m bench.routing``: how long matching one event takes among 10, 1,000 and 10,000 routes."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from bench.ground import NO_SANDBOX, ROOT, Ground, output_of
from bench.program import keep, run

RESULT = ROOT / "bench" / "results" / "routing.json"
LABELS = {"spread": "routes of every kind", "alike": "all alike except for a condition"}


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.routing",
        description="Match one event against organizations with 10, 1,000 and 10,000 routes, of which 5 match, "
        "in turn, on its own PostgreSQL. Spread: patterns and event types of every kind. Alike: each route has the "
        "event's own pattern and type, so that they differ only in the value of a condition.",
    )
    parser.add_argument("--rounds", type=int, default=200, help="measurements of each (200)")
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 1000, 10_000], help="numbers of routes")
    parser.add_argument("--output", type=Path, default=RESULT, help="the JSON file (bench/results/routing.json)")
    return parser.parse_args(words)


def measured(ground: Ground, rounds: int, counts: Sequence[int]) -> list[dict[str, Any]]:
    """The measurements, made by a process of the product.

    Raises:
        BenchError: it failed.
    """
    ground.make_product(weddings=1)
    words = ("-m", "bench.routing.measuring", str(rounds), *map(str, counts))
    printed = output_of(*words, environment=ground.environment(NO_SANDBOX), seconds=1200)
    found: list[dict[str, Any]] = json.loads(printed)
    return found


def ratios(found: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The cost of the most routes divided by that of the fewest, from the medians."""
    costs = {}
    for kind in LABELS:
        rows = sorted((row for row in found if row["kind"] == kind), key=lambda row: row["routes"])
        name = f"cost_{rows[-1]['routes']}_over_{rows[0]['routes']}"
        costs[name if kind == "spread" else f"{name}_{kind}"] = round(rows[-1]["median_ms"] / rows[0]["median_ms"], 2)
    return costs


def show(console: Console, found: Sequence[dict[str, Any]]) -> None:
    """Print the table and the ratios."""
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("routes")
    for name in ("how many", "read", "match", "median ms", "p90 ms"):
        table.add_column(name, justify="right")
    for row in found:
        figures = (row["routes"], row["candidates"], row["matching"], f"{row['median_ms']:.2f}", f"{row['p90_ms']:.2f}")
        table.add_row(LABELS[row["kind"]], *map(str, figures))
    console.print(table)
    for name, value in ratios(found).items():
        console.print(f"{name:>30}  {value:.2f}")


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print, write the JSON. 0 if it was measured; 1 if not; 130 if stopped."""
    arguments = _arguments(words)

    def work(console: Console) -> int:
        with Ground() as ground:
            found = measured(ground, arguments.rounds, arguments.counts)
        show(console, found)
        machine = {"cores": os.cpu_count(), "python": platform.python_version()}
        keep({"ratios": ratios(found), "measurements": found, "machine": machine}, arguments.output)
        return 0

    return run("bench-routing", Console(), work)


if __name__ == "__main__":
    sys.exit(main())
