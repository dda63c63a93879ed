"""The results of a run: a table for people, JSON for programs."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.chaos.copy import TIMES
from bench.chaos.judging import COUNTS, Verdict
from bench.chaos.playing import Played

TOTAL = "all, in the end"
_COLUMNS = ("accepted", "delivered", "held", "dead", "left out", "lost", "duplicates", "explained", "settled in")


def table() -> Table:
    """The table's head."""
    made = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    made.add_column("fault", no_wrap=True)
    for name in _COLUMNS:
        made.add_column(name, justify="right", no_wrap=True)
    return made


def show(console: Console, played: Sequence[Played], total: Verdict) -> None:
    """Print each fault, the total, and each broken rule with an example."""
    shown = table()
    for each in played:
        settled = "never" if each.settled is None else f"{each.settled:.1f} s"
        shown.add_row(*_row(each.fault.name, each.verdict, settled), style=None if each.holds else "red")
    shown.add_row(*_row(TOTAL, total, ""), style="bold" if total.holds else "bold red")
    console.print(shown)
    for name, verdict in [*((each.fault.name, each.verdict) for each in played), (TOTAL, total)]:
        for rule, count in verdict.wrong.items():
            console.print(f"[red]{escape(name)}: {escape(rule)}: {count}, such as {escape(verdict.examples[rule])}[/]")
    holds = total.holds and all(each.holds for each in played)
    console.print("[green]Nothing is lost.[/]" if holds else "[red]Not all rules hold.[/]")


def _row(name: str, verdict: Verdict, settled: str) -> list[str]:
    figures = (
        verdict.accepted, verdict.delivered, verdict.held, verdict.dead, verdict.left_out, verdict.lost,
        verdict.duplicates, verdict.explained,
    )  # fmt: skip
    return [name, *map(str, figures), settled]


def as_json(played: Sequence[Played], total: Verdict, *, rate: float, seconds: float) -> dict[str, Any]:
    """All figures; ``ratios`` are relative to all deliveries of the run."""
    among = max(total.deliveries, 1)
    return {
        "ratios": {
            "lost": total.lost / among,
            "duplicates": round(total.duplicates / among, 5),
            "unexplained_duplicates": (total.duplicates - total.explained) / among,
        },
        "total": _figures(total),
        "faults": [
            {
                "name": each.fault.name,
                "about": each.fault.about,
                "measured": list(each.measured),
                "settled_seconds": None if each.settled is None else round(each.settled, 1),
                **_figures(each.verdict),
            }
            for each in played
        ],
        "load": {"requests_per_second": rate, "seconds": seconds},
        "shortened": TIMES,
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "celery": version("celery"),
        },
    }


def _figures(verdict: Verdict) -> dict[str, Any]:
    return {name: getattr(verdict, name) for name in COUNTS} | {"wrong": dict(verdict.wrong)}
