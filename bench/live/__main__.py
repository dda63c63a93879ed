"""``python -m bench.live``: one event to many sockets, compared with a bare WebSocket server and stock Channels."""

import argparse
import os
import platform
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from bench.ground import ROOT, Ground
from bench.live.fan_out import BARE, OURS, SIDES, SSE, STOCK, Measurement, WebhookWaits, percentile, stage
from bench.program import keep, run

RESULT = ROOT / "bench" / "results" / "live.json"
FILES = 8_192


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.live",
        description="Let many sockets or streams follow one channel, and send two events per second; our sockets, our "
        "streams, a bare server and stock Channels take turns. Ours are timed from the commit, the others from their "
        "message to Redis.",
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each server is measured (3)")
    parser.add_argument("--sockets", type=int, nargs="+", default=[200, 1000], help="how many sockets (200 1000)")
    parser.add_argument("--events", type=int, default=20, help="events per measurement (20)")
    parser.add_argument("--output", type=Path, default=RESULT, help="where the JSON goes (bench/results/live.json)")
    return parser.parse_args(words)


def ratios(found: Sequence[Measurement], waits: Sequence[WebhookWaits] = ()) -> dict[str, float | None]:
    """Our figures divided by the others', at the largest number of sockets: the median over the rounds."""
    most = max((each.sockets for each in found), default=0)
    of = {side: [each for each in found if each.side == side and each.sockets == most] for side in SIDES}

    def ratio(other: str, figure: Any, side: str = OURS) -> float | None:
        pairs = zip(of[side], of[other], strict=True)
        values = [figure(ours) / figure(theirs) for ours, theirs in pairs if figure(theirs)]
        return round(median(values), 2) if values else None

    return {
        "p99_vs_bare": ratio(BARE, lambda each: percentile(each.milliseconds, 0.99)),
        "p99_sse_vs_bare": ratio(BARE, lambda each: percentile(each.milliseconds, 0.99), SSE),
        "p99_vs_stock_pubsub": ratio(STOCK, lambda each: percentile(each.milliseconds, 0.99)),
        "cpu_vs_bare": ratio(BARE, lambda each: each.cpu_microseconds),
        "memory_vs_bare": _of_memory(of[OURS], of[BARE]),
        "webhook_p99_fanout_vs_idle": _of_webhooks(waits),
    }


def _of_memory(ours: Sequence[Measurement], bare: Sequence[Measurement]) -> float | None:
    """By the rounds in which they grew most: later ones use again what earlier ones have freed."""
    grown = [max((each.bytes_per_socket for each in side), default=0) for side in (ours, bare)]
    return round(grown[0] / grown[1], 2) if grown[1] else None


def _of_webhooks(waits: Sequence[WebhookWaits]) -> float | None:
    p99s = [(percentile(each.beside_fan_out, 0.99), percentile(each.idle, 0.99)) for each in waits]
    return round(median(beside / idle for beside, idle in p99s), 2) if p99s else None


def show(console: Console, found: Sequence[Measurement], waits: Sequence[WebhookWaits]) -> None:
    """Print the table and, below it, the ratios."""
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for name in ("sockets", "side"):
        table.add_column(name)
    for name in ("p50 ms", "p99 ms", "longest ms", "CPU µs per event", "KiB per socket"):
        table.add_column(name, justify="right")
    for each in sorted(found, key=lambda one: (one.sockets, SIDES.index(one.side))):
        times = (percentile(each.milliseconds, share) for share in (0.5, 0.99, 1.0))
        cost = (each.cpu_microseconds, each.bytes_per_socket / 1024)
        table.add_row(str(each.sockets), each.side, *(f"{value:.1f}" for value in (*times, *cost)))
    console.print(table)
    for name, value in ratios(found, waits).items():
        console.print(f"{name:>26}  {value}")
    console.print(f"webhooks answered by another status than 202: {sum(each.refused for each in waits)}")


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print and write the JSON. 0: measured; 1: failed; 130: stopped."""
    arguments = _arguments(words)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard) if hard > 0 else FILES, hard))

    def work(console: Console) -> int:
        found: list[Measurement] = []
        waits: list[WebhookWaits] = []
        with Ground() as ground, stage(ground) as built:
            for number in range(arguments.rounds):
                for sockets in arguments.sockets:
                    for place in range(len(SIDES)):
                        side = SIDES[(place + number) % len(SIDES)]
                        console.print(f"round {number + 1}: {side} with {sockets} sockets", style="dim")
                        found.append(built.measure(side, sockets, arguments.events))
                console.print(f"round {number + 1}: webhooks beside the sockets", style="dim")
                waits.append(built.webhook_waits(max(arguments.sockets), arguments.events))
            ground.drop_hints()
        show(console, found, waits)
        machine = {"python": platform.python_version(), "cores": os.cpu_count()}
        measurements = [
            {
                "side": each.side,
                "sockets": each.sockets,
                "p50_ms": percentile(each.milliseconds, 0.5),
                "p99_ms": percentile(each.milliseconds, 0.99),
                "cpu_microseconds": each.cpu_microseconds,
                "bytes_per_socket": each.bytes_per_socket,
            }
            for each in found
        ]
        figures = {
            "ratios": ratios(found, waits),
            "webhooks_refused": sum(each.refused for each in waits),
            "machine": machine,
            "measurements": measurements,
        }
        keep(figures, arguments.output)
        return 0

    return run("bench.live", Console(), work)


if __name__ == "__main__":
    sys.exit(main())
