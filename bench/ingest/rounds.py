"""The run: start the servers, fill tables, then measure each server in turn, round after round."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.status import Status

from bench.ground import Facts, Ground
from bench.ingest import contestants, memory
from bench.ingest.contestants import (
    DJANGO_VIEW,
    FULL,
    FULL_DATABASE,
    GROUP_COMMIT,
    INSERT_PER_REQUEST,
    OURS,
    Contestant,
)
from bench.ingest.filling import fill
from bench.ingest.measuring import Measuring
from bench.ingest.report import Measurement, Results
from wedsync.runner.embedded.postgres import NAME

WARM_UP_SECONDS = 1
FULL_CONNECTIONS = 100
"""The cost of full tables is measured with this number."""


@dataclass(frozen=True)
class Plan:
    """What to measure. ``seconds``: of load per measurement. 0 rows or requests leave that part out."""

    rounds: int
    seconds: int
    connections: tuple[int, ...]
    full_rows: int
    memory_requests: int
    only: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def servers(self) -> list[str]:
        """The servers that take part."""
        names = [OURS, INSERT_PER_REQUEST, GROUP_COMMIT, DJANGO_VIEW]
        chosen = [name for name in names if not self.only or name in self.only]
        return [*chosen, FULL] if self.full_rows else chosen

    def turns(self, connections: int) -> list[str]:
        """The servers that are measured at this number of connections."""
        return [name for name in self.servers if name != FULL or connections == FULL_CONNECTIONS]


class Run:
    """One run of a plan, with its ``results`` and ``memory``."""

    def __init__(self, ground: Ground, plan: Plan, console: Console) -> None:
        self.results = Results()
        self.memory: dict[str, Any] | None = None
        self._ground = ground
        self._plan = plan
        self._console = console
        self._status = Status("", console=console)

    def measure(self) -> None:
        """Measure everything.

        Raises:
            BenchError: a measurement is not valid.
            RunnerError: a server did not start.
        """
        with self._status:
            self._say("Making the product's rows")
            facts = self._ground.make_product()
            contestants.make_tables(self._ground)
            if self._plan.full_rows:
                self._ground.make_database(FULL_DATABASE, template=NAME)
            measuring = Measuring(self._ground, facts)
            with contestants.running(self._ground, facts, self._plan.servers, self._plan.variables) as servers:
                self._warm_up(measuring, servers)
                for number in range(1, self._plan.rounds + 1):
                    self._play_round(measuring, servers, number)
            if self._plan.memory_requests:
                self._watch_memory(measuring, facts)

    def _warm_up(self, measuring: Measuring, servers: Sequence[Contestant]) -> None:
        """Fill caches; the results do not count."""
        self._say("Warming up")
        folder = measuring.sign(WARM_UP_SECONDS)
        for server in servers:
            measuring.measure(server, folder, self._plan.connections[-1], WARM_UP_SECONDS)
        shutil.rmtree(folder)
        if self._plan.full_rows:
            self._say(f"Filling tables with {self._plan.full_rows} receipts, their events and ids")
            fill(self._ground, FULL_DATABASE, self._plan.full_rows)

    def _play_round(self, measuring: Measuring, servers: Sequence[Contestant], number: int) -> None:
        """Each round begins with another server, so that none always follows the same one."""
        start = number % len(servers)
        for connections in self._plan.connections:
            folder = measuring.sign(self._plan.seconds)
            turns = self._plan.turns(connections)
            for server in [*servers[start:], *servers[:start]]:
                if server.name not in turns:
                    continue
                self._say(f"Round {number} of {self._plan.rounds}: {server.name}, {connections} connections")
                played = measuring.measure(server, folder, connections, self._plan.seconds)
                self.results.measurements.append(Measurement(number, server.name, connections, played))
                self._report(f"round {number}  {server.name:<18} {connections:>3} connections", played.rate)
            shutil.rmtree(folder)

    def _watch_memory(self, measuring: Measuring, facts: Facts) -> None:
        self._say(f"Memory over {self._plan.memory_requests} requests")
        with contestants.running(self._ground, facts, [OURS], self._plan.variables) as (ours,):
            self.memory = memory.watch(measuring, ours, self._plan.memory_requests)

    def _say(self, text: str) -> None:
        self._status.update(text)

    def _report(self, what: str, rate: float) -> None:
        self._console.print(f"[dim]{what}  {rate:7.0f}/s[/]")
