"""``python -m bench.chaos``: the program of ``make chaos``."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from bench.chaos import report
from bench.chaos.copy import DEFAULT_TIMES, TIMES
from bench.chaos.faults import FAULTS, Fault
from bench.chaos.judging import Verdict
from bench.chaos.playing import Play, Played, staged
from bench.chaos.situations import SITUATIONS
from bench.program import keep, run

ALL = (*FAULTS, *SITUATIONS)
WIDTH = 120
"""Columns of output to a file or pipe; the table fits into them."""
OUTPUT = Path(__file__).resolve().parents[1] / "results" / "chaos.json"


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make chaos",
        description="Start a copy of the whole product, send it signed webhooks, and inject one fault after the "
        "other: processes killed and frozen, Valkey emptied, PostgreSQL restarted, targets broken. After each, "
        "answers, rows and the requests at the targets are compared. Exits 0 only if nothing is lost, nothing is "
        "sent twice without a reason, and everything settles. With make, put options into ARGS: "
        "make chaos ARGS='--seconds 3'",
    )
    names = [fault.name for fault in ALL]
    parser.add_argument("--faults", nargs="+", choices=names, default=names, metavar="NAME", help="only these (all)")
    parser.add_argument("--list", action="store_true", help="list the faults and stop")
    parser.add_argument("--seconds", type=float, default=5.0, help="seconds of load after a fault strikes (5)")
    parser.add_argument("--rate", type=float, default=10.0, help="webhooks per second (10)")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="the JSON file (bench/results/chaos.json)")
    return parser.parse_args(words)


def play_all(play: Play, faults: Sequence[Fault], console: Console) -> list[Played]:
    """Play each fault and print a line about it; stop after the first that does not settle.

    Raises:
        BenchError: a fault could not be injected.
    """
    played = []
    for fault in faults:
        began = time.monotonic()
        with console.status(escape(fault.name)) as status:
            found = play.run(fault, lambda text, status=status: status.update(escape(text)))  # type: ignore[misc]
        mark = "[green]holds[/]" if found.holds else "[red]does not hold[/]"
        took = time.monotonic() - began
        text = f"  {mark}  {escape(fault.name)}: {escape(fault.about)}  [dim]{took:.0f} s[/]"
        console.print(text, soft_wrap=True)
        for measured in found.measured:
            console.print(f"         [dim]{escape(measured)}[/]", soft_wrap=True)
        played.append(found)
        if found.settled is None:
            console.print("  [red]It has not settled, so nothing after it could be judged.[/]")
            break
    return played


def chaos(arguments: argparse.Namespace, console: Console) -> int:
    """Play, compare, print, write. 0 if everything holds.

    Raises:
        BenchError: the play could not go on.
        RunnerError: the copy did not start.
    """
    wanted = [fault for fault in ALL if fault.name in arguments.faults]
    played: list[Played] = []
    total = Verdict()
    for default_times in (False, True):
        faults = [fault for fault in wanted if fault.default_times == default_times]
        if not faults or any(each.settled is None for each in played):
            continue
        console.print(f"Starting a copy of the product{', with the times of production' if default_times else ''}.")
        times = DEFAULT_TIMES if default_times else TIMES
        with staged(arguments.rate, arguments.seconds, times, over_tcp=default_times) as play:
            done = play_all(play, faults, console)
            total += play.in_the_end(done)
        played += done
    report.show(console, played, total)
    figures = report.as_json(played, total, rate=arguments.rate, seconds=arguments.seconds)
    keep(figures, arguments.output)
    return 0 if total.holds and all(each.holds for each in played) else 1


def main(words: Sequence[str] | None = None) -> int:
    """0 if everything holds; 1 if not; 130 if stopped."""
    arguments = _arguments(words)
    console = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else WIDTH)
    if arguments.list:
        for fault in ALL:
            console.print(f"{fault.name:22} {escape(fault.about)}", soft_wrap=True)
        return 0
    return run("Chaos", console, lambda console: chaos(arguments, console))


if __name__ == "__main__":
    sys.exit(main())
