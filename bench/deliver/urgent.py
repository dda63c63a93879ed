"""Urgent deliveries from the commit to the sink: alone, beside a waiting backlog, and while the backlog drains.

All workers of the Procfile and the sweep run.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console

from bench.deliver.stage import Stage
from bench.errors import BenchError

LINES = ("worker-urgent", "worker-high", "worker-normal", "worker-low", "sweep")
EVERY = 0.1
"""Seconds between two urgent deliveries."""
WHILE_DRAINING = 0.03
"""The same beside a backlog that drains in about twenty seconds."""
BACKLOG = ("low", "normal")
SETTLE_SECONDS = 6.0
"""Each limited target receives its first calls, and the sweep finds overdue deliveries."""
WARM_UP = 20
NO_LIMITS = "this product's systems have no limit of calls per second"


@dataclass(frozen=True)
class Times:
    """The times of urgent deliveries in milliseconds."""

    probes: int
    p50: float
    p99: float
    most: float

    @classmethod
    def of(cls, found: Sequence[float]) -> "Times":
        """From milliseconds in any order."""
        ordered = sorted(found)
        p50, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * part))] for part in (0.5, 0.99))
        return cls(len(ordered), round(p50, 1), round(p99, 1), round(ordered[-1], 1))


class Urgent:
    """Measures urgent deliveries on a stage."""

    def __init__(self, stage: Stage, console: Console, probes: int, backlog: int) -> None:
        self._stage = stage
        self._console = console
        self._probes = probes
        self._backlog = backlog

    def measure(self) -> dict[str, Any]:
        """The three situations, each on empty tables; ``backlog`` is ``None`` if the product has no limits."""
        limits = self._stage.inside("limit", "--limited")["known"]
        found: dict[str, Any] = {"backlog": None, "note": "" if limits else NO_LIMITS}
        self._stage.reset(0)
        with self._all_workers():
            found["idle"] = self._probe("idle")
            if limits:
                self._fill()
                time.sleep(SETTLE_SECONDS)
                found["waiting"] = self._waiting()
                found["backlog"] = self._probe(f"{found['waiting']} waiting")
        self._stage.inside("limit")
        self._stage.reset(0)
        self._fill()
        with self._all_workers():
            found["draining"] = self._probe("draining", WHILE_DRAINING)
            found["left_after_draining"] = self._waiting()
        if not found["left_after_draining"]:
            self._console.print("[dim]the backlog was empty before the last urgent delivery: use a larger one[/]")
        return found

    def _fill(self) -> None:
        self._stage.inside("fill", "--count", str(self._backlog), "--priorities", *BACKLOG)
        self._stage.ground.execute("ANALYZE integrations_delivery, live_channelevent")

    @contextmanager
    def _all_workers(self) -> Iterator[None]:
        with ExitStack() as stack:
            for line in LINES:
                stack.enter_context(self._stage.process(line))
            self._sent(WARM_UP)
            yield

    def _waiting(self) -> int:
        states = self._stage.states()
        return sum(states.get(state, 0) for state in ("pending", "scheduled", "held"))

    def _probe(self, name: str, every: float = EVERY) -> dict[str, Any]:
        times = Times.of(self._sent(self._probes, every))
        self._console.print(f"[dim]urgent, {name:<14} p50 {times.p50:6.1f} ms  p99 {times.p99:6.1f} ms[/]")
        return asdict(times)

    def _sent(self, count: int, every: float = EVERY) -> list[float]:
        """The milliseconds of ``count`` urgent deliveries.

        Raises:
            BenchError: one did not arrive.
        """
        committed = self._stage.inside("probe", "--count", str(count), "--every", str(every))
        deadline = time.monotonic() + 20
        while missing := committed.keys() - (arrivals := self._stage.arrivals()).keys():
            if time.monotonic() > deadline:
                raise BenchError(f"{len(missing)} of {count} urgent deliveries did not arrive within 20 s.")
            time.sleep(0.5)
        return [(arrivals[key] - at) * 1000 for key, at in committed.items()]
