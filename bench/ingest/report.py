"""The results of the measurements: ratios and figures as JSON for programs, as a table for people."""

import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from bench.ground import Ground
from bench.ingest.contestants import DJANGO_VIEW, FULL, GROUP_COMMIT, INSERT_PER_REQUEST, LABELS, OURS
from bench.ingest.load import Played, wrk_version

_PACKAGES = ("uvicorn", "uvloop", "httptools", "asyncpg", "django", "gunicorn", "psycopg2-binary")


@dataclass(frozen=True)
class Measurement:
    """One measurement of one server."""

    round: int
    server: str
    connections: int
    played: Played


class Results:
    """All measurements of a run."""

    def __init__(self) -> None:
        self.measurements: list[Measurement] = []

    def of(self, server: str, connections: int) -> list[Played]:
        """One server's measurements, one per round."""
        return [each.played for each in self.measurements if (each.server, each.connections) == (server, connections)]

    def median(self, server: str, connections: int, figure: Callable[[Played], float]) -> float | None:
        """The median over the rounds; ``None``: not measured."""
        found = [figure(played) for played in self.of(server, connections)]
        return statistics.median(found) if found else None

    def ratio(self, upper: str, lower: str, connections: int) -> float | None:
        """One server's rate divided by another's: the median of the rounds' own ratios.

        Both were measured in the same round, so other load on the machine affects both.
        """
        pairs = zip(self.of(upper, connections), self.of(lower, connections), strict=False)
        found = [above.rate / below.rate for above, below in pairs]
        return round(statistics.median(found), 3) if found else None

    def ratios(self) -> dict[str, float | None]:
        """Ours relative to each other server, and the cost of full tables."""
        return {
            "vs_insert_per_request_32": self.ratio(OURS, INSERT_PER_REQUEST, 32),
            "vs_insert_per_request_100": self.ratio(OURS, INSERT_PER_REQUEST, 100),
            "vs_group_commit_100": self.ratio(OURS, GROUP_COMMIT, 100),
            "vs_django_view_100": self.ratio(OURS, DJANGO_VIEW, 100),
            "full_table_cost": self.ratio(OURS, FULL, 100),
        }

    def as_json(self, machine: dict[str, Any], memory: dict[str, Any] | None) -> dict[str, Any]:
        """All figures."""
        p99 = self.median(OURS, 100, lambda played: played.p99_ms)
        return {
            "ratios": self.ratios(),
            "p99_ms_100_connections": None if p99 is None else round(p99, 1),
            "memory": memory,
            "machine": machine,
            "measurements": [
                {**asdict(each), "requests_per_second": round(each.played.rate, 1)} for each in self.measurements
            ],
        }


def machine(ground: Ground) -> dict[str, Any]:
    """The machine and the software of the measurement."""
    settings = ("server_version", "fsync", "synchronous_commit", "shared_buffers", "max_wal_size")
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "postgres": {name: ground.execute(f"SHOW {name}")[0][0] for name in settings},
        "wrk": wrk_version(),
        "packages": {name: version(name) for name in _PACKAGES},
    }


def show(console: Console, results: Results, memory: dict[str, Any] | None) -> None:
    """Print the table, and the figures below it."""
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("server")
    for name in ("connections", "median/s", "lowest", "highest", "p50 ms", "p99 ms", "ours is"):
        table.add_column(name, justify="right")
    for connections in sorted({each.connections for each in results.measurements}):
        for server in dict.fromkeys(each.server for each in results.measurements):
            if found := results.of(server, connections):
                table.add_row(*_row(results, server, connections, found))
        table.add_section()
    console.print(table)
    for name, value in results.ratios().items():
        console.print(f"{name:>28}  {'-' if value is None else format(value, '.2f')}")
    if memory:
        console.print(
            f"Memory of the web process over {memory['requests']} requests: {memory['first_mib']} MiB after "
            f"{memory['warm_up']}, {memory['last_mib']} MiB at the end, {memory['growth_percent']:+} %: "
            f"{'flat' if memory['flat'] else '[red]it grows[/]'}"
        )


def _row(results: Results, server: str, connections: int, found: Sequence[Played]) -> list[str]:
    rates = [played.rate for played in found]
    ratio = results.ratio(OURS, server, connections)
    return [
        LABELS[server],
        str(connections),
        f"{statistics.median(rates):.0f}",
        f"{min(rates):.0f}",
        f"{max(rates):.0f}",
        f"{statistics.median(played.p50_ms for played in found):.1f}",
        f"{statistics.median(played.p99_ms for played in found):.1f}",
        "" if server == OURS or ratio is None else f"{ratio:.2f}x",
    ]
