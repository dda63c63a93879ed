"""``python -m bench.isolation``: the program of ``make bench-isolation``."""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.deliver import report as deliver_report
from bench.ground import ROOT
from bench.isolation import flaky, report
from bench.isolation.dead import MODES, Dead
from bench.isolation.stage import LINES, IsolationStage
from bench.isolation.standby import Standby
from bench.program import run

RESULT = ROOT / "bench" / "results" / "isolation.json"
PARTS = ("dead", "flaky")


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench-isolation",
        description="Measure how a dead target affects the others, and what failing ones receive, on servers of its "
        "own. With make, put options into ARGS: make bench-isolation ARGS='--only dead --waiting 1000'",
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to measure (both)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the dead target (3)")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES), help="its failures (both)")
    parser.add_argument("--waiting", type=int, default=5000, help="deliveries for each dead target (5000)")
    parser.add_argument("--seconds", type=float, default=16, help="seconds of each situation (16)")
    parser.add_argument("--count", type=int, default=2000, help="deliveries to failing targets (2000)")
    parser.add_argument("--output", type=Path, default=RESULT, help="the JSON file (bench/results/isolation.json)")
    return parser.parse_args(words)


def _measured(arguments: argparse.Namespace, console: Console) -> dict[str, Any]:
    content: dict[str, Any] = {}
    with IsolationStage(arguments.rounds + flaky.TARGETS, arguments.rounds) as stage, ExitStack() as stack:
        beat, backlog = (stack.enter_context(Standby(stage.environment())) for _ in range(2))
        workers = [stack.enter_context(stage.process(line)) for line in LINES]
        if "dead" in arguments.only:
            content["dead"] = Dead(
                stage, console, beat, backlog,
                rounds=arguments.rounds, waiting=arguments.waiting, seconds=arguments.seconds, modes=arguments.modes,
            ).measure(workers)  # fmt: skip
        if "flaky" in arguments.only:
            content["flaky"] = flaky.measure(stage, console, backlog, arguments.count)
        content["machine"] = deliver_report.machine(stage.ground)
        for worker in workers:
            worker.kill()  # nothing is left to finish
    return content


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print, write the JSON. 0 if every measurement is valid; 1 if one is not; 130 if stopped."""
    arguments = _arguments(words)

    def work(console: Console) -> int:
        before = report.load()
        content = report.as_json(**_measured(arguments, console))
        content["machine"] |= {"load_before": before, "load_after": report.load()}
        report.show(console, content)
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(json.dumps(content, indent=1) + "\n")
        console.print(f"All figures: {arguments.output}")
        return 0

    return run("Bench", Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else 160), work)


if __name__ == "__main__":
    sys.exit(main())
