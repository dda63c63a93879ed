"""``python -m bench.reconcile``: the program of ``make reconcile``."""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.ground import Facts, Ground
from bench.program import run
from bench.reconcile import checking
from bench.reconcile.playing import Play
from bench.reconcile.sending import Sent
from bench.servers import our_web


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make reconcile",
        description="Send signed webhooks, kill the web process and restart PostgreSQL meanwhile, and compare the "
        "answers with the stored rows. Exits 0 only if nothing is lost or half stored. With make, put options into "
        "ARGS: make reconcile ARGS='--faults 2'",
    )
    parser.add_argument("--faults", type=int, default=6, help="how many times something is killed (6)")
    parser.add_argument("--between", type=int, default=1000, help="answered requests before each (1000)")
    parser.add_argument("--senders", type=int, default=32, help="how many send concurrently (32)")
    return parser.parse_args(words)


def reconcile(ground: Ground, facts: Facts, arguments: argparse.Namespace, console: Console) -> bool:
    """Play, compare, print. True if every rule holds.

    Raises:
        BenchError: something did not recover.
    """
    with our_web(ground) as web:
        play = Play(ground, facts, web, senders=arguments.senders, faults=arguments.faults, between=arguments.between)
        sent = play.run(lambda text: console.print(f"[dim]{text}[/]"))
    found = checking.read(ground, facts)
    broken = checking.faults_of(sent, found)
    _show(console, sent, found, broken)
    return not broken


def _show(console: Console, sent: Mapping[str, Sent], found: checking.Found, broken: Mapping[str, int]) -> None:
    told = Counter("no answer" if answer is None else str(answer) for each in sent.values() for answer in each.answers)
    taken = sum(each.taken for each in sent.values())
    unsure = [external_id for external_id, each in sent.items() if not each.taken]
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("what")
    table.add_column("how many", justify="right")
    table.add_row("ids sent", str(len(sent)))
    for answer, count in sorted(told.items()):
        table.add_row(f"answers: {answer}", str(count))
    table.add_row("ids answered 200 or 202", str(taken))
    table.add_row("other ids: wholly stored", str(sum(external_id in found.stored for external_id in unsure)))
    table.add_row("other ids: not stored", str(sum(external_id not in found.stored for external_id in unsure)))
    table.add_row("channel entries", str(sum(log.entries for log in found.logs)))
    for rule, count in broken.items():
        table.add_row(f"[red]{escape(rule)}[/]", f"[red]{count}[/]")
    console.print(table)
    console.print("[red]Answers and rows differ.[/]" if broken else "[green]Every answer matches the stored rows.[/]")


def main(words: Sequence[str] | None = None) -> int:
    """0 if answers and rows match; 1 if not; 130 if stopped."""
    arguments = _arguments(words)

    def work(console: Console) -> int:
        with Ground() as ground:
            return 0 if reconcile(ground, ground.make_product(), arguments, console) else 1

    return run("Reconcile", Console(highlight=False, emoji=False), work)


if __name__ == "__main__":
    sys.exit(main())
