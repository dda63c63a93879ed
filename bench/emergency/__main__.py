"""``python -m bench.emergency``: the program of ``make bench-emergency``."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from bench.emergency.playing import Measured, Story
from bench.ground import ROOT
from bench.program import keep, run
from wedsync.demo.own_copy import OwnCopy

RESULT = ROOT / "bench" / "results" / "emergency.json"


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench-emergency",
        description="Start a whole copy, let thousands of ordinary messages wait, and report an emergency to twenty "
        "people: how soon each channel has them all, when the second contact is told, whether an acknowledgement "
        "stops the plan, and what an open breaker changes. Exits 0 only if everything arrives in time.",
    )
    parser.add_argument("--waiting", type=int, default=5000, help="waiting messages of normal priority (5000)")
    parser.add_argument("--pace", type=float, default=60.0, help="seconds until the plan's next step (60)")
    parser.add_argument("--output", type=Path, default=RESULT, help="the JSON file (bench/results/emergency.json)")
    return parser.parse_args(words)


def play(arguments: argparse.Namespace, console: Console) -> list[Measured]:
    """Play the whole story on its own copy.

    Raises:
        BenchError: the story could not go on.
        RunnerError: the copy did not start.
    """
    copy = OwnCopy({"WEDSYNC_ESCALATION_SECONDS": str(arguments.pace)})
    try:
        facts = copy.start()
        story = Story(copy, facts, arguments.waiting)
        with console.status("making people and the backlog"):
            story.prepare()
        began = time.time()
        with console.status("an emergency"):
            found, mark = story.all_channels()
        with console.status(f"nobody acknowledges for {arguments.pace:.0f} s"):
            found.append(story.second_contact(mark, began, arguments.pace))
        with console.status("one acknowledges"):
            found.append(story.acknowledged(mark, arguments.pace))
        found.append(story.traced(mark))
        with console.status("another emergency, with the breaker of WhatsApp open"):
            found += story.with_open_breaker()
        return found
    finally:
        copy.stop()
        copy.remove()


def show(console: Console, found: Sequence[Measured]) -> None:
    """Print the table."""
    table = Table("what", "seconds", "required", "facts", "", box=box.SIMPLE)
    for each in found:
        asked = f"{each.least:.0f} to {each.most:.0f}" if each.least else f"at most {each.most:.0f}"
        seconds = "did not happen" if each.seconds is None else f"{each.seconds:.2f}"
        facts = ", ".join(f"{name}: {value}" for name, value in each.facts.items())
        table.add_row(each.name, seconds, asked, facts, "[green]holds[/]" if each.holds else "[red]does not hold[/]")
    console.print(table)


def emergency(arguments: argparse.Namespace, console: Console) -> int:
    """Play, print, write. 0 if everything holds."""
    found = play(arguments, console)
    show(console, found)
    figures = {
        "waiting": arguments.waiting,
        "pace": arguments.pace,
        "measurements": [{**vars(each), "holds": each.holds} for each in found],
        "ratios": {each.name: round(each.seconds / each.most, 2) for each in found if each.seconds is not None},
    }
    keep(figures, arguments.output)
    return 0 if all(each.holds for each in found) else 1


def main(words: Sequence[str] | None = None) -> int:
    """0 if everything holds; 1 if not; 130 if stopped."""
    arguments = _arguments(words)
    console = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else 140)
    return run("Emergency", console, lambda console: emergency(arguments, console))


if __name__ == "__main__":
    sys.exit(main())
