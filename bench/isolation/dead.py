"""Single deliveries to other targets, from the commit to the sink: without and beside a dead target's backlog.

The situations take turns on the same stage, with the same workers; each has its own dead target. Without one, as many
rows are made at the same pace, but as finished deliveries, so that making them affects both sides.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console

from bench.deliver.processor import spent
from bench.deliver.stage import Worker
from bench.deliver.urgent import Times
from bench.errors import BenchError
from bench.isolation.breaker import Calls
from bench.isolation.stage import IsolationStage, path_of
from bench.isolation.standby import Standby

ALONE, REFUSING, HANGING = "alone", "refusing", "hanging"
MODES = (REFUSING, HANGING)
EVERY = 0.05
"""Seconds between two deliveries of the beat."""
WARM_UP = 40
LEAD = 1.0
"""Seconds of the beat before making the backlog begins."""
BURST = 8.0
"""Seconds after that which count as the burst: making the backlog, and the first calls up to their deadlines."""
_DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
_UPDATED = "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'integrations_delivery'"


@dataclass(frozen=True)
class Arrival:
    """One delivery of the beat. ``since``: seconds from the start of the backlog to the delivery's commit."""

    since: float
    priority: str
    milliseconds: float


@dataclass(frozen=True)
class Cost:
    """Per second after the burst: milliseconds of a core, and updates of deliveries' rows."""

    workers_ms: float
    sweep_ms: float
    rows: float


class Dead:
    """Measures the effect of dead targets on a stage.

    Arguments:
        beat, backlog: the processes that make the rows concurrently.
        waiting: deliveries for each dead target.
        seconds: of each situation.
    """

    def __init__(
        self, stage: IsolationStage, console: Console, beat: Standby, backlog: Standby, *,
        rounds: int, waiting: int, seconds: float, modes: Sequence[str] = MODES,
    ) -> None:  # fmt: skip
        self._beat = beat
        self._backlog = backlog
        self._stage = stage
        self._console = console
        self._rounds = rounds
        self._waiting = waiting
        self._seconds = seconds
        self._modes = modes
        self._arrivals: dict[str, list[Arrival]] = defaultdict(list)
        self._rows: list[dict[str, Any]] = []

    def measure(self, workers: Sequence[Worker]) -> dict[str, Any]:
        """Measure all rounds.

        Raises:
            BenchError: a delivery to another target did not arrive.
        """
        self._beat.do("beat", "--count", str(WARM_UP), "--every", str(EVERY))
        ids = self._add_targets()
        for number in range(self._rounds):
            situations = [ALONE, *self._modes]
            for situation in situations[number % len(situations) :] + situations[: number % len(situations)]:
                self._play(number, situation, workers, ids[_name(situation, number)])
        return {
            "others": {situation: _summary(found) for situation, found in self._arrivals.items()},
            "situations": self._rows,
            "deadlocks": self._stage.ground.number(_DEADLOCKS),
        }

    def _add_targets(self) -> dict[str, str]:
        urls = {}
        for number in range(self._rounds):
            for mode in (ALONE, *self._modes):
                name, stage = _name(mode, number), self._stage
                urls[name] = stage.answering_url() if mode == HANGING else stage.refusing_url(number)
                if mode == HANGING:
                    stage.let_fail(path_of(name), "hang")
        return self._stage.add_targets(self._backlog, urls)

    def _play(self, number: int, situation: str, workers: Sequence[Worker], target: str) -> None:
        name = _name(situation, number)
        self._beat.go("beat", "--count", str(round(self._seconds / EVERY)), "--every", str(EVERY))
        time.sleep(LEAD)
        began = time.time()
        finished = ["--finished"] if situation == ALONE else []
        self._backlog.go("backlog", name, "--count", str(self._waiting), "--paced", *finished)
        cost = self._watched(workers, began)
        made: dict[str, tuple[float, str]] = self._beat.result()
        self._backlog.result()
        arrivals = self._arrived(made, began)
        self._arrivals[situation] += arrivals
        row = {"round": number + 1, "situation": situation, "all": _times(arrivals), **asdict(cost)}
        if situation != ALONE:
            row |= asdict(Calls.to(self._stage.ground, target)) | {"waiting": self._end(target)}
            row["calls_at_the_sink"] = self._stage.calls().get(path_of(name), 0)
        self._rows.append(row)
        self._say(row)

    def _watched(self, workers: Sequence[Worker], began: float) -> Cost:
        """The cost between the burst and the beat's end, or of a short beat's second half."""
        lasts = self._seconds - LEAD
        time.sleep(min(BURST, lasts / 2))
        roots = {worker.pid: "sweep" if worker.name == "sweep" else "workers" for worker in workers}
        before, rows, since = spent(roots), self._stage.ground.number(_UPDATED), time.time()
        time.sleep(max(0.0, began + lasts - time.time()))
        after, took = spent(roots), time.time() - since
        updated = self._stage.ground.number(_UPDATED) - rows
        each = {name: round((after[name] - before[name]) / took * 1000, 1) for name in after}
        return Cost(each["workers"], each["sweep"], round(updated / took, 1))

    def _arrived(self, made: dict[str, tuple[float, str]], began: float) -> list[Arrival]:
        deadline = time.monotonic() + 20
        while missing := made.keys() - (seen := self._stage.arrivals()).keys():
            if time.monotonic() > deadline:
                raise BenchError(f"{len(missing)} of {len(made)} deliveries to others did not arrive within 20 s.")
            time.sleep(0.5)
        return [Arrival(at - began, priority, (seen[key] - at) * 1000) for key, (at, priority) in made.items()]

    def _end(self, dead: str) -> int:
        """End deliveries that wait for a dead target before the next situation; returns how many.

        Rows that the product has locked now are ended in the next pass, so that neither waits for the other.
        """
        ended, ground = 0, self._stage.ground
        waits = f"system_id = '{dead}' AND state IN ('pending', 'scheduled', 'held', 'in_flight')"
        while ground.number(f"SELECT count(*) FROM integrations_delivery WHERE {waits}"):
            ended += ground.number(
                f"WITH free AS (SELECT id FROM integrations_delivery WHERE {waits} FOR UPDATE SKIP LOCKED), ended AS ("
                "UPDATE integrations_delivery AS delivery SET state = 'cancelled', has_turn = false,"
                " lease_token = NULL, lease_until = NULL, finished_at = now() FROM free WHERE delivery.id = free.id"
                " RETURNING delivery.id) SELECT count(*) FROM ended"
            )
        ground.execute("VACUUM ANALYZE integrations_delivery")
        return ended

    def _say(self, row: dict[str, Any]) -> None:
        times = row["all"]
        calls = f"  before open {row['before_open']}, while open {row['while_open']}" if "opened" in row else ""
        self._console.print(
            f"[dim]round {row['round']}  {row['situation']:<9} p50 {times['p50']:6.1f} ms  p99 {times['p99']:6.1f} ms"
            f"  workers {row['workers_ms']:.0f} ms/s, {row['rows']:.0f} rows/s{calls}[/]"
        )


def _name(situation: str, number: int) -> str:
    return f"{situation}-{number + 1}"


def _times(arrivals: Sequence[Arrival]) -> dict[str, Any]:
    return asdict(Times.of([each.milliseconds for each in arrivals]))


def _summary(arrivals: Sequence[Arrival]) -> dict[str, Any]:
    """Percentiles over all rounds, also by the time of the commit and by priority."""
    parts = {
        "all": arrivals,
        "burst": [each for each in arrivals if 0 <= each.since < BURST],
        "afterwards": [each for each in arrivals if each.since >= BURST],
        **{priority: [each for each in arrivals if each.priority == priority] for priority in ("high", "normal")},
    }
    return {name: _times(part) if part else None for name, part in parts.items()}
