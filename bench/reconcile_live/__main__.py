"""``python -m bench.reconcile_live``: the program of ``make reconcile-live``."""

import argparse
import contextlib
import sys
from collections import Counter
from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.ground import Facts, Ground
from bench.program import run
from bench.reconcile_live import checking
from bench.reconcile_live.playing import Play, Played, Size
from bench.servers import our_web

UNBOUNDED = {"WEDSYNC_SOCKETS_PER_ADDRESS": "100000"}  # all clients share one address
WEDDINGS = 12


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make reconcile-live",
        description="Follow live channels with clients that drop and go on at random, while vendors write and web "
        "processes and Valkey are killed; then compare what each client got with the log. Exits 0 only if every client "
        "has exactly the log, in order. With make, put options into ARGS: make reconcile-live ARGS='--seconds 20'",
    )
    parser.add_argument("--sockets", type=int, default=100, help="clients by WebSocket (100)")
    parser.add_argument("--streams", type=int, default=100, help="clients by Server-Sent Events (100)")
    parser.add_argument("--pages", type=int, default=20, help="clients that load a wedding, then follow it (20)")
    parser.add_argument("--faults", type=int, default=6, help="how many times something is killed (6, the most)")
    parser.add_argument("--writers", type=int, default=50, help="vendors that write concurrently (50)")
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between two requests of a writer (0.5)")
    parser.add_argument("--seconds", type=float, default=90.0, help="how long they write (90)")
    return parser.parse_args(words)


def reconcile_live(ground: Ground, facts: Facts, arguments: argparse.Namespace, console: Console) -> bool:
    """Play, compare, print. True if every client has exactly the log.

    Raises:
        BenchError: something did not recover.
    """
    with contextlib.ExitStack() as started:
        webs = [our_web(ground, name=name, more=UNBOUNDED) for name in ("web-1", "web-2")]
        for web in webs:
            started.enter_context(web)
        play = Play(ground, facts, webs, Size(**vars(arguments)))
        played = play.run(lambda text: console.print(f"[dim]{text}[/]"))
    broken = checking.faults_of(played.clients, checking.read(ground, facts))
    broken += checking.pages_off(played.pages, ground)
    _show(console, played, broken)
    return not broken


def _show(console: Console, played: Played, broken: Mapping[str, int]) -> None:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("what")
    table.add_column("how many", justify="right")
    table.add_row("clients that follow from the beginning", str(len(played.clients)))
    table.add_row("pages that load, then follow", str(len(played.pages)))
    table.add_row("loads of pages", str(sum(each.loads for each in played.pages)))
    table.add_row("changes by staff", str(played.changes))
    table.add_row("webhooks accepted", str(played.webhooks))
    for name, count in Counter(played.faults).items():
        table.add_row(escape(name), str(count))
    table.add_row("drops by clients", str(played.sum(lambda each: each.drops)))
    table.add_row("clients cut off, or without an answer", str(played.sum(lambda each: each.cut)))
    for code, count in sorted(
        sum((Counter(each.told) for each in (*played.clients, *played.pages)), Counter[int]()).items()
    ):
        table.add_row(f"answers and closing codes: {code}", str(count))
    table.add_row("events received", str(played.sum(lambda each: sum(len(log.got) for log in each.channels.values()))))
    table.add_row("seconds until the last client had everything", f"{played.seconds_to_catch_up:.1f}")
    for rule, count in broken.items():
        table.add_row(f"[red]{escape(rule)}[/]", f"[red]{count}[/]")
    console.print(table)
    console.print("[red]Clients and log differ.[/]" if broken else "[green]Every client has exactly the log.[/]")


def main(words: Sequence[str] | None = None) -> int:
    """0 if clients and log match; 1 if not; 130 if stopped."""
    arguments = _arguments(words)

    def work(console: Console) -> int:
        with Ground() as ground:
            facts = ground.make_product(weddings=WEDDINGS)
            return 0 if reconcile_live(ground, facts, arguments, console) else 1

    return run("Reconcile", Console(highlight=False, emoji=False), work)


if __name__ == "__main__":
    sys.exit(main())
