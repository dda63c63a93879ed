"""The results of the measurements: JSON for programs, required and measured figures as a table for people."""

import os
import statistics
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from bench.deliver.report import Asked, row
from bench.isolation.dead import ALONE, HANGING, REFUSING

ASKED = (
    Asked("others_p99_dead_refusing", 1.5),
    Asked("others_p99_dead_hanging", 1.5),
    Asked("calls_before_open", 9, ""),  # five failures open a breaker, and four calls may be in flight
    Asked("calls_while_open", 1, ""),
    Asked("delivered_within_quick_percent", 99.5, "%", least=True),
    Asked("delivered_percent", 100, "%", least=True),
    Asked("flaky_breakers_opened", 0, ""),
)


def as_json(
    dead: dict[str, Any] | None = None, flaky: dict[str, Any] | None = None, machine: dict[str, Any] | None = None
) -> dict[str, Any]:
    """All figures; ``None`` for parts that were left out."""
    beside = [each for each in (dead["situations"] if dead else []) if "opened" in each]
    return {
        "ratios": {
            "others_p99_dead_refusing": _ratio(dead, REFUSING),
            "others_p99_dead_hanging": _ratio(dead, HANGING),
        },
        "calls_before_open": max((each["before_open"] for each in beside), default=None),
        "calls_while_open": max((most for each in beside for most in each["while_open"]), default=None),
        "delivered_within_quick_percent": _percent(flaky, "within_quick"),
        "delivered_percent": _percent(flaky, "delivered"),
        "flaky_breakers_opened": flaky["breakers_opened"] if flaky else None,
        "dead": dead,
        "flaky": flaky,
        "machine": machine,
    }


def load() -> list[float]:
    """The machine's load: how many processes wanted a core, on average over 1, 5 and 15 minutes."""
    return [round(each, 2) for each in os.getloadavg()]


def _ratio(dead: dict[str, Any] | None, situation: str) -> float | None:
    """The p99 beside the dead target divided by that without it: the median of the rounds' own ratios."""
    p99 = {(each["round"], each["situation"]): each["all"]["p99"] for each in (dead["situations"] if dead else [])}
    found = [p99[number, situation] / p99[number, ALONE] for number, played in p99 if played == situation]
    return round(statistics.median(found), 3) if found else None


def _percent(flaky: dict[str, Any] | None, name: str) -> float | None:
    return round(flaky[name] / flaky["count"] * 100, 3) if flaky else None


def show(console: Console, content: dict[str, Any]) -> None:
    """Print required and measured figures, and the cost of a dead target while its breaker is open."""
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for name in ("figure", "required", "measured", "", ""):
        table.add_column(name, justify="right" if name in {"required", "measured"} else "left")
    figures = {**content["ratios"], **content}
    for asked in ASKED:
        table.add_row(*row(asked, figures[asked.name]), _details(asked.name, content))
    console.print(table)
    if content["dead"]:
        console.print(_costs(content["dead"]["situations"]))
        console.print(f"Deadlocks that PostgreSQL had to resolve: {content['dead']['deadlocks']}")


def _details(name: str, content: dict[str, Any]) -> str:
    situation = name.rpartition("_")[2]
    if name.startswith("others") and content["dead"] and situation in content["dead"]["others"]:
        others = content["dead"]["others"]
        parts = {"alone": others[ALONE]["all"], **{part: others[situation][part] for part in ("burst", "afterwards")}}
        told = (f"{part} p50 {times['p50']} p99 {times['p99']}" for part, times in parts.items() if times)
        return "; ".join(told) + " ms"
    if name == "delivered_within_quick_percent" and content["flaky"]:
        flaky = content["flaky"]
        return f"{flaky['count']} deliveries, {flaky['attempts']} attempts, at most {flaky['most_attempts']} of one"
    return ""


def _costs(situations: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for name in ("after the burst", "workers, ms of a core a second", "sweep", "rows updated a second"):
        table.add_column(name, justify="left" if name == "after the burst" else "right")
    for each in situations:
        name = f"round {each['round']}, {each['situation']}"
        table.add_row(name, f"{each['workers_ms']:.0f}", f"{each['sweep_ms']:.0f}", f"{each['rows']:.0f}")
    return table
