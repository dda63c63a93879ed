"""Deliveries per second, ours and bare: the same number, the same worker flags, the same sink, round by round.

All rows and messages are there before a worker starts. The clock runs from the first request that reaches the sink to
its last answer, for both.
"""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from rich.console import Console

from bench.deliver.stage import TARGETS, Seen, Stage, run
from bench.errors import BenchError
from bench.servers import python

OURS, BARE = "ours", "bare"
PRIORITY = "high"
"""The first queue whose worker is not made nice; nothing else is in it."""
WORKER = f"worker-{PRIORITY}"
PATIENCE = 150.0


@dataclass(frozen=True)
class Load:
    """One kind of sink. ``latency``: milliseconds; ``concurrency``: threads of all workers together."""

    latency: int
    count: int
    concurrency: int


LOADS = (Load(0, 3000, 25), Load(200, 2000, 100), Load(1000, 1000, 100))


@dataclass(frozen=True)
class Measurement:
    """One side, once."""

    round: int
    side: str
    latency: int
    count: int
    concurrency: int
    seconds: float
    duplicates: int
    most_in_flight: int

    @property
    def rate(self) -> float:
        """Deliveries per second."""
        return self.count / self.seconds


class Throughput:
    """Measures on a stage. ``workers``: processes, which share the threads."""

    def __init__(self, stage: Stage, console: Console, workers: int) -> None:
        self.measurements: list[Measurement] = []
        self._stage = stage
        self._console = console
        self._workers = workers

    def measure(self, rounds: int, loads: Sequence[Load]) -> None:
        """Each round has each load; in each the two sides swap who is first.

        Raises:
            BenchError: a delivery did not arrive, or is not finished.
        """
        for number in range(1, rounds + 1):
            for load in loads:
                for side in (OURS, BARE) if number % 2 else (BARE, OURS):
                    found = self._play(number, side, load)
                    self.measurements.append(found)
                    self._console.print(f"[dim]round {number}  {load.latency:>4} ms  {side}  {found.rate:6.0f}/s[/]")

    def _play(self, number: int, side: str, load: Load) -> Measurement:
        self._stage.reset(load.latency / 1000)
        seen = self._ours(load) if side == OURS else self._bare(load)
        return Measurement(
            number, side, load.latency, load.count, load.concurrency,
            seconds=round(seen.seconds, 3), duplicates=seen.answered - seen.keys, most_in_flight=seen.most_in_flight,
        )  # fmt: skip

    def _ours(self, load: Load) -> Seen:
        stage = self._stage
        stage.inside("fill", "--count", str(load.count), "--priorities", PRIORITY)
        stage.ground.execute("ANALYZE integrations_delivery, live_channelevent")
        with ExitStack() as stack:
            stack.enter_context(stage.process("sweep"))
            for name in self._names(OURS):
                stack.enter_context(stage.process(WORKER, load.concurrency // self._workers, name))
            seen = self._finished(load)
            stage.wait_for(
                lambda: stage.states() == {"succeeded": load.count}, 15, f"The rows are {stage.states()}, not finished"
            )
        return seen

    def _bare(self, load: Load) -> Seen:
        stage = self._stage
        words = ("--count", str(load.count), "--queue", PRIORITY, "--url", stage.url, "--targets", str(TARGETS))
        environment = stage.environment() | {"BENCH_BROKER": stage.broker}
        run(python("-m", "bench.deliver.baselines.bare", *words), environment, json.dumps(stage.sample))
        with ExitStack() as stack:
            for name in self._names(BARE):
                stack.enter_context(stage.bare(WORKER, load.concurrency // self._workers, name))
            return self._finished(load)

    def _names(self, side: str) -> list[str]:
        return [f"{side}-{number}" for number in range(self._workers)]

    def _finished(self, load: Load) -> Seen:
        stage = self._stage
        stage.wait_for(lambda: stage.seen().keys >= load.count, PATIENCE, f"Not all {load.count} calls arrived")
        stage.wait_for(lambda: stage.seen().answered >= load.count, 15, "Not all calls were answered")
        seen = stage.seen()
        if seen.keys != load.count:
            raise BenchError(f"{load.count} calls were made beforehand, and {seen.keys} different ones arrived.")
        return seen
