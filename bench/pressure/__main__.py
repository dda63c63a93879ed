"""``python -m bench.pressure``: the program of ``make bench-pressure``."""

import argparse
import os
import platform
import resource
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.ground import ROOT, Facts, Ground
from bench.pressure import deploy, odd, turnover, unread
from bench.pressure.part import Figure, Part
from bench.pressure.sizes import FULL, SMALL, Sizes
from bench.pressure.stage import Say, stage
from bench.program import keep, run

RESULT = ROOT / "bench" / "results" / "pressure.json"
FILES = 16_384
WEDDINGS = 5
REQUESTS_PER_SECOND = {"WEDSYNC_LIMIT_PER_SOCKET": "50"}  # as in production
BESIDE = {unread.NAME: unread.measure, turnover.NAME: turnover.measure, odd.NAME: odd.measure}
"""The parts with one web process."""
PARTS = (*BESIDE, deploy.NAME)
MARKS = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench-pressure",
        description="Misuse the live channels in every way, and replace a web process, beside clients that are served; "
        "show what these notice, and with which code the others end. With make, put options into ARGS: make "
        "bench-pressure ARGS='--only odd deploy'",
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="these parts (all)")
    parser.add_argument("--small", action="store_true", help="few clients and short waits, to see that it works")
    parser.add_argument("--output", type=Path, default=RESULT, help="where the JSON goes (bench/results/pressure.json)")
    return parser.parse_args(words)


def measure(name: str, ground: Ground, facts: Facts, sizes: Sizes, say: Say) -> Part:
    """Measure one part on servers of its own."""
    if name == deploy.NAME:
        return deploy.measure(ground, facts, sizes, say)
    variables = dict(sizes.variables) | (REQUESTS_PER_SECOND if name == odd.NAME else {})
    with stage(ground, facts, name, variables) as built:
        return BESIDE[name](built, sizes, say)


def _printed(console: Console, name: str) -> Say:
    return lambda text: console.print(f"[dim]{name}: {escape(text)}[/]")


def show(console: Console, part: Part) -> None:
    """Print the figures of one part, each beside what is required."""
    table = Table("", "required", "measured", "kept", title=part.name, box=box.SIMPLE_HEAD, pad_edge=False)
    for each in part.figures:
        table.add_row(escape(each.what), escape(each.required), escape(each.measured), MARKS[each.holds])
    console.print(table)


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print and write the JSON. 0: measured; 1: failed; 130: stopped."""
    arguments = _arguments(words)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard) if hard > 0 else FILES, hard))

    def work(console: Console) -> int:
        sizes = SMALL if arguments.small else FULL
        parts: list[Part] = []
        with Ground(durable=False) as ground:
            for name in arguments.only:
                facts = ground.make_product(weddings=WEDDINGS)
                parts.append(measure(name, ground, facts, sizes, _printed(console, name)))
                show(console, parts[-1])
                keep(_results(parts), arguments.output)
        return 0

    return run("bench.pressure", Console(highlight=False, emoji=False), work)


def _results(parts: Sequence[Part]) -> dict[str, object]:
    figures: dict[str, list[Figure]] = {each.name: each.figures for each in parts}
    return {
        "ratios": {name: value for each in parts for name, value in each.ratios.items()},
        "figures": {name: [asdict(figure) for figure in found] for name, found in figures.items()},
        "details": {each.name: each.details for each in parts},
        "machine": {"python": platform.python_version(), "cores": os.cpu_count(), "load": os.getloadavg()},
    }


if __name__ == "__main__":
    sys.exit(main())
