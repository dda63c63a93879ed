"""``python -m bench.fuzz``: the program of ``make fuzz``."""

import argparse
import asyncio
import secrets
import sys
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from bench.fuzz.cases import Cases
from bench.fuzz.client import Client
from bench.fuzz.judging import Verdict
from bench.ground import Ground
from bench.program import run
from bench.servers import our_web

CLIENTS = 24


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make fuzz",
        description="Throw random and mutated requests at the receiver, signed and unsigned. Exits 0 only if none is "
        "answered 500 or not at all, and nothing unsigned is stored. With make, put options into ARGS: "
        "make fuzz ARGS='--count 10000 --seed 7'",
    )
    parser.add_argument("--count", type=int, default=100_000, help="requests (100000)")
    parser.add_argument(
        "--seed", type=int, default=None, help="the seed of an earlier run, to make the same requests again"
    )
    return parser.parse_args(words)


async def throw(cases: Cases, port: int, count: int, verdict: Verdict, progress: Progress) -> None:
    """Send ``count`` cases with several concurrent clients, and judge the answers."""
    task = progress.add_task("Requests", total=count)
    numbers = iter(range(count))

    async def work() -> None:
        client = Client(port)
        for _ in numbers:
            case = cases.make()
            verdict.add(case, await client.send(case))
            progress.advance(task)
        await client.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(work())


def fuzz(ground: Ground, count: int, seed: int, console: Console) -> Verdict:
    """The whole fuzz against its own web process.

    Raises:
        BenchError: the web process did not start, or it died.
    """
    facts, verdict = ground.make_product(weddings=10), Verdict()
    with our_web(ground) as web:
        with Progress(console=console, transient=True) as progress:
            asyncio.run(throw(Cases(facts, seed), web.port, count, verdict, progress))
        web.pid  # noqa: B018 - it must still run
    verdict.compare(ground, facts)
    return verdict


def _show(console: Console, verdict: Verdict, seed: int) -> None:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("answer")
    table.add_column("how many", justify="right")
    for answer, count in sorted(verdict.answers.items()):
        table.add_row(answer, str(count))
    for problem, count in verdict.wrong.items():
        table.add_row(f"[red]{escape(problem)}[/]", f"[red]{count}[/]")
    console.print(table)
    for example in verdict.examples:
        console.print(escape(example), style="red")
    good = f"[green]No answer was wrong, and nothing unsigned was stored.[/] Seed {seed}."
    console.print(f"[red]Something is wrong.[/] To repeat: --seed {seed}" if verdict.wrong else good)


def main(words: Sequence[str] | None = None) -> int:
    """0 if nothing is wrong; 1 if something is; 130 if stopped."""
    arguments = _arguments(words)
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed

    def work(console: Console) -> int:
        with Ground() as ground:
            verdict = fuzz(ground, arguments.count, seed, console)
        _show(console, verdict, seed)
        return 1 if verdict.wrong else 0

    return run("Fuzz", Console(highlight=False, emoji=False), work)


if __name__ == "__main__":
    sys.exit(main())
