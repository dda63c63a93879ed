"""``python -m bench.ingest``: the program of ``make bench-ingest``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.ground import ROOT, Ground
from bench.ingest.load import require_wrk
from bench.ingest.report import Results, machine, show
from bench.ingest.rounds import Plan, Run
from bench.program import keep, run

RESULT = ROOT / "bench" / "results" / "ingest.json"


def _setting(text: str) -> tuple[str, str]:
    name, given, value = text.partition("=")
    if not given:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench-ingest",
        description="Measure the receiver beside servers that do much less, on its own PostgreSQL that writes each "
        "commit to disk. With make, put options into ARGS: make bench-ingest ARGS='--rounds 1 --no-full'",
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds, whose medians count (5)")
    parser.add_argument("--seconds", type=int, default=3, help="seconds of load in each measurement (3)")
    parser.add_argument("--connections", type=int, nargs="+", default=[32, 100], help="concurrent connections (32 100)")
    parser.add_argument("--full-rows", type=int, default=1_000_000, help="receipts in the full tables (1000000)")
    parser.add_argument("--no-full", action="store_true", help="leave the full tables out")
    parser.add_argument("--no-memory", action="store_true", help="leave the web process's memory out")
    parser.add_argument("--memory-requests", type=int, default=200_000, help="requests of the memory test (200000)")
    parser.add_argument("--only", nargs="+", metavar="SERVER", help="ours insert_per_request group_commit django_view")
    parser.add_argument(
        "--set", type=_setting, nargs="+", default=[], metavar="NAME=VALUE", help="variables of our own web process"
    )
    parser.add_argument("--output", type=Path, default=RESULT, help="the JSON file (bench/results/ingest.json)")
    return parser.parse_args(words)


def _measured(arguments: argparse.Namespace, console: Console) -> tuple[Results, dict[str, Any]]:
    plan = Plan(
        rounds=arguments.rounds,
        seconds=arguments.seconds,
        connections=tuple(arguments.connections),
        full_rows=0 if arguments.no_full else arguments.full_rows,
        memory_requests=0 if arguments.no_memory else arguments.memory_requests,
        only=tuple(arguments.only or ()),
        variables=dict(arguments.set),
    )
    require_wrk()
    with Ground() as ground:
        run = Run(ground, plan, console)
        run.measure()
        return run.results, run.results.as_json(machine(ground), run.memory)


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print, write the JSON. 0 if every measurement is valid; 1 if one is not; 130 if stopped."""
    arguments = _arguments(words)

    def work(console: Console) -> int:
        results, content = _measured(arguments, console)
        show(console, results, content["memory"])
        keep(content, arguments.output)
        console.print(f"p99 at 100 connections: {content['p99_ms_100_connections']} ms. Figures: {arguments.output}")
        return 0

    return run("Bench", Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else 140), work)


if __name__ == "__main__":
    sys.exit(main())
