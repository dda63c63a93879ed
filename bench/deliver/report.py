"""The results of the measurements: ratios and figures as JSON for programs, required and measured as a table."""

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from bench.deliver.throughput import BARE, LOADS, OURS, Measurement
from bench.ground import Ground

_PACKAGES = ("celery", "kombu", "redis", "requests", "urllib3", "django", "psycopg2-binary")


@dataclass(frozen=True)
class Asked:
    """The requirement on a figure. ``least``: ``limit`` is the smallest value that passes, otherwise the largest."""

    name: str
    limit: float | None
    unit: str = "x"
    least: bool = False

    def verdict(self, seen: float | None) -> str:
        """The verdict, for people."""
        if seen is None:
            return "not measured"
        if self.limit is None:
            return "printed only"
        passed = seen >= self.limit if self.least else seen <= self.limit
        return "[green]pass[/]" if passed else "[red]fail[/]"


ASKED = (
    Asked("throughput_0ms", 0.5, least=True),
    Asked("throughput_200ms", None, least=True),
    Asked("throughput_1000ms", 0.9, least=True),
    Asked("urgent_p99_backlog", 1.5),
    Asked("urgent_p99_ms_draining", 1000, "ms"),
    Asked("idle_cpu_percent", 5, "%"),
)


def rate(measurements: Sequence[Measurement], side: str, latency: int) -> float | None:
    """The median over the rounds; ``None``: not measured."""
    found = [each.rate for each in measurements if (each.side, each.latency) == (side, latency)]
    return round(statistics.median(found), 1) if found else None


def ratio(measurements: Sequence[Measurement], latency: int) -> float | None:
    """Ours divided by the bare one: the median of the rounds' own ratios, since other load affects both sides."""
    rates = {(each.round, each.side): each.rate for each in measurements if each.latency == latency}
    found = [rates[number, OURS] / rates[number, BARE] for number, side in rates if side == OURS]
    return round(statistics.median(found), 3) if found else None


def as_json(
    measurements: Sequence[Measurement] = (),
    urgent: dict[str, Any] | None = None,
    idle: dict[str, Any] | None = None,
    shares: dict[str, Any] | None = None,
    machine: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """All figures; ``None`` for parts that were left out."""
    backlog = urgent["backlog"] if urgent else None
    ratios = {f"throughput_{load.latency}ms": ratio(measurements, load.latency) for load in LOADS}
    ratios["urgent_p99_backlog"] = round(backlog["p99"] / urgent["idle"]["p99"], 3) if urgent and backlog else None
    return {
        "ratios": ratios,
        "idle_cpu_percent": idle["percent"] if idle else None,
        "urgent_p99_ms_draining": urgent["draining"]["p99"] if urgent else None,
        "rates": {
            f"{side}_{load.latency}ms": rate(measurements, side, load.latency)
            for load in LOADS
            for side in (OURS, BARE)
        },
        "urgent": urgent,
        "idle": idle,
        "shares": shares,
        "machine": machine,
        "measurements": [{**asdict(each), "deliveries_per_second": round(each.rate, 1)} for each in measurements],
    }


def machine(ground: Ground) -> dict[str, Any]:
    """The machine and the software of the measurement."""
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "postgres": ground.execute("SHOW server_version")[0][0],
        "packages": {name: version(name) for name in _PACKAGES},
    }


def show(console: Console, content: dict[str, Any]) -> None:
    """Print required and measured figures, and each channel's share."""
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for name, justify in (("figure", "left"), ("required", "right"), ("measured", "right"), ("", "left"), ("", "left")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    figures = {**content["ratios"], **content}
    for asked in ASKED:
        table.add_row(*row(asked, figures[asked.name]), _details(asked.name, content))
    table.add_section()
    for channel, share in (content["shares"] or {}).items():
        asked = Asked(f"{channel}, event to acceptance", share["asked"], "ms")
        table.add_row(*row(asked, share["p99"]), f"p99 of {share['events']}; p50 {share['p50']:.0f} ms")
    console.print(table)


def row(asked: Asked, seen: float | None) -> list[str]:
    """A line of the table: figure, required, measured, verdict."""
    bound = "-" if asked.limit is None else f"{'>=' if asked.least else '<='} {asked.limit:g} {asked.unit}"
    return [asked.name, bound, "-" if seen is None else f"{seen:.2f} {asked.unit}", asked.verdict(seen)]


def _details(name: str, content: dict[str, Any]) -> str:
    latency = name.removeprefix("throughput_")
    rates, urgent = content["rates"], content["urgent"]
    if latency != name and rates[f"{OURS}_{latency}"]:
        return f"{rates[f'{OURS}_{latency}']:.0f}/s, bare {rates[f'{BARE}_{latency}']:.0f}/s"
    if name.startswith("urgent") and urgent:
        part = urgent["backlog" if name == "urgent_p99_backlog" else "draining"]
        alone = f"idle: p50 {urgent['idle']['p50']} ms, p99 {urgent['idle']['p99']} ms"
        return f"p50 {part['p50']} ms, p99 {part['p99']} ms; {alone}" if part else f"{urgent['note']}; {alone}"
    return ""
