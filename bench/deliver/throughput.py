"""Deliveries per second, ours and bare: the same number, worker flags and sink, round by round.

All rows and messages exist before a worker starts. The clock runs from the first request that reaches the sink to
its last answer, for both.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from rich.console import Console

from bench.deliver.processor import spent
from bench.deliver.stage import TARGETS, Seen, Stage, Worker
from bench.errors import BenchError
from bench.ground import output_of

OURS, BARE = "ours", "bare"
PRIORITY = "high"
"""The first queue whose worker is not run with nice; it has no other messages."""
WORKER = f"worker-{PRIORITY}"
PATIENCE = 240.0
Found = tuple[Seen, dict[str, float]]
"""The sink's figures, and the processor seconds by process."""


@dataclass(frozen=True)
class Load:
    """One kind of sink. ``latency``: milliseconds; ``concurrency``: total threads of all workers."""

    latency: int
    count: int
    concurrency: int


LOADS = (Load(0, 2000, 25), Load(200, 1500, 100), Load(1000, 1000, 100))


@dataclass(frozen=True)
class Measurement:
    """One measurement of one side. ``processor_ms``: milliseconds of a core per delivery, by process."""

    round: int
    side: str
    latency: int
    count: int
    concurrency: int
    seconds: float
    duplicates: int
    most_in_flight: int
    processor_ms: Mapping[str, float]

    @property
    def rate(self) -> float:
        """Deliveries per second."""
        return self.count / self.seconds


class Throughput:
    """Measures throughput on a stage. ``workers``: processes, which share the threads."""

    def __init__(self, stage: Stage, console: Console, workers: int) -> None:
        self.measurements: list[Measurement] = []
        self._stage = stage
        self._console = console
        self._workers = workers

    def measure(self, rounds: int, loads: Sequence[Load]) -> None:
        """Measure each load in each round; the two sides alternate in going first.

        Raises:
            BenchError: a delivery did not arrive or is not finished.
        """
        for number in range(1, rounds + 1):
            for load in loads:
                for side in (OURS, BARE) if number % 2 else (BARE, OURS):
                    found = self._play(number, side, load)
                    self.measurements.append(found)
                    self._say(found)

    def _say(self, found: Measurement) -> None:
        parts = "  ".join(f"{name} {part:.2f}" for name, part in found.processor_ms.items())
        what = f"round {found.round}  {found.latency:>4} ms  {found.side}"
        self._console.print(f"[dim]{what}  {found.rate:6.0f}/s   ms of a core for each: {parts}[/]")

    def _play(self, number: int, side: str, load: Load) -> Measurement:
        self._stage.reset(load.latency / 1000)
        seen, spent_seconds = self._ours(load) if side == OURS else self._bare(load)
        return Measurement(
            number, side, load.latency, load.count, load.concurrency,
            seconds=round(seen.seconds, 3), duplicates=seen.answered - seen.keys, most_in_flight=seen.most_in_flight,
            processor_ms={name: round(part * 1000 / load.count, 3) for name, part in spent_seconds.items()},
        )  # fmt: skip

    def _ours(self, load: Load) -> Found:
        stage = self._stage
        stage.inside("fill", "--count", str(load.count), "--priorities", PRIORITY)
        stage.ground.execute("ANALYZE integrations_delivery, live_channelevent")
        with ExitStack() as stack:
            sweep = stack.enter_context(stage.process("sweep"))
            threads = load.concurrency // self._workers
            workers = [stack.enter_context(stage.process(WORKER, threads, name)) for name in self._names(OURS)]
            found = self._finished(load, workers, sweep)
            stage.wait_for(
                lambda: stage.states() == {"succeeded": load.count},
                15,
                "Not all rows of arrived calls are finished",
            )
        return found

    def _bare(self, load: Load) -> Found:
        stage = self._stage
        words = ("--count", str(load.count), "--queue", PRIORITY, "--url", stage.url, "--targets", str(TARGETS))
        environment = stage.environment() | {"BENCH_BROKER": stage.broker}
        told = json.dumps(stage.sample)
        output_of("-m", "bench.deliver.baselines.bare", *words, environment=environment, stdin=told)
        with ExitStack() as stack:
            threads = load.concurrency // self._workers
            workers = [stack.enter_context(stage.bare(WORKER, threads, name)) for name in self._names(BARE)]
            return self._finished(load, workers)

    def _names(self, side: str) -> list[str]:
        return [f"{side}-{number}" for number in range(self._workers)]

    def _finished(self, load: Load, workers: Sequence[Worker], sweep: Worker | None = None) -> Found:
        stage = self._stage
        roots = {worker.pid: "workers" for worker in workers} | stage.servers()
        if sweep:
            roots[sweep.pid] = "sweep"
        before = spent(roots)
        stage.wait_for(lambda: stage.seen().keys >= load.count, PATIENCE, f"Not all {load.count} calls arrived")
        stage.wait_for(lambda: stage.seen().answered >= load.count, 15, "Not all calls were answered")
        after, seen = spent(roots), stage.seen()
        if seen.keys != load.count:
            raise BenchError(f"{load.count} calls were made beforehand, and {seen.keys} different ones arrived.")
        return seen, {name: after[name] - before[name] for name in after}
