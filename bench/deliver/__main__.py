"""``python -m bench.deliver``: the program of ``make bench-deliver``."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.deliver import idle, report, shares
from bench.deliver.stage import Stage
from bench.deliver.throughput import LOADS, Load, Throughput
from bench.deliver.urgent import Urgent
from bench.ground import ROOT
from bench.program import keep, run
from wedsync.demo.own_copy import OwnCopy

RESULT = ROOT / "bench" / "results" / "deliver.json"
PARTS = ("throughput", "urgent", "idle", "shares")


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench-deliver",
        description="Measure deliveries beside a bare Celery task that posts, on servers of its own. With "
        "make, put options into ARGS: make bench-deliver ARGS='--only throughput --latency 0 --rounds 1'",
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the throughput, whose medians count (3)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to measure (all)")
    parser.add_argument("--latency", type=int, nargs="+", help="latency of the sink, milliseconds (0 200 1000)")
    parser.add_argument("--count", type=int, help="deliveries in each measurement (2000, 1500, 1000)")
    parser.add_argument("--concurrency", type=int, help="threads in total (25, 100, 100)")
    parser.add_argument("--workers", type=int, default=1, help="worker processes that share them, on both sides (1)")
    parser.add_argument("--pool", help="Celery's pool on both sides, in place of the Procfile's")
    parser.add_argument("--probes", type=int, default=200, help="urgent deliveries in each part (200)")
    parser.add_argument("--backlog", type=int, default=10_000, help="waiting low and normal deliveries (10000)")
    parser.add_argument("--idle-seconds", type=float, default=30, help="seconds of watching the idle copy (30)")
    parser.add_argument("--share-events", type=int, default=20, help="events for each channel (20)")
    parser.add_argument("--output", type=Path, default=RESULT, help="the JSON file (bench/results/deliver.json)")
    return parser.parse_args(words)


def _loads(arguments: argparse.Namespace) -> list[Load]:
    chosen = [load for load in LOADS if arguments.latency is None or load.latency in arguments.latency]
    given = {name: value for name in ("count", "concurrency") if (value := getattr(arguments, name))}
    return [replace(load, **given) for load in chosen]


def _measured(arguments: argparse.Namespace, console: Console) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if {"throughput", "urgent"} & set(arguments.only):
        with Stage(arguments.pool) as stage:
            if "throughput" in arguments.only:
                throughput = Throughput(stage, console, arguments.workers)
                throughput.measure(arguments.rounds, _loads(arguments))
                content["measurements"] = throughput.measurements
            if "urgent" in arguments.only:
                content["urgent"] = Urgent(stage, console, arguments.probes, arguments.backlog).measure()
            content["machine"] = report.machine(stage.ground)
    if {"idle", "shares"} & set(arguments.only):
        content |= _of_a_whole_copy(arguments, console)
    return content


def _of_a_whole_copy(arguments: argparse.Namespace, console: Console) -> dict[str, Any]:
    content: dict[str, Any] = {}
    copy = OwnCopy()
    try:
        facts = copy.start()
        if "idle" in arguments.only:
            content["idle"] = idle.watch(copy, console, arguments.idle_seconds)
        if "shares" in arguments.only:
            content["shares"] = shares.measure(copy, facts, console, arguments.share_events)
    finally:
        copy.stop()
        copy.remove()
    return content


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print, write the JSON. 0 if every measurement is valid; 1 if one is not; 130 if stopped."""
    arguments = _arguments(words)

    def work(console: Console) -> int:
        content = report.as_json(**_measured(arguments, console))
        report.show(console, content)
        keep(content, arguments.output)
        console.print(f"All figures: {arguments.output}")
        return 0

    return run("Bench", Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else 140), work)


if __name__ == "__main__":
    sys.exit(main())
