"""The play: a fault strikes under load, the system settles by itself, and answers, rows and targets are compared."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg2

from bench.chaos.copy import TIMES, AttackedCopy, Plan
from bench.chaos.faults import PATIENCE, Fault, Scene, hits
from bench.chaos.judging import Verdict, judge
from bench.chaos.ledger import read, unsettled
from bench.chaos.sending import Load
from bench.errors import BenchError
from bench.reconcile.sending import Sent
from wedsync.runner.supervision.processes import wait_until

BEFORE = 1.5
"""Seconds of load before a fault strikes."""
SETTLE_SECONDS = 120.0
"""The most, from the end of the load to the end of the last delivery."""
STILL = 2
"""How many checks in a row must find no change."""
LOOK_PAUSE = 0.3
TICK = 0.1

Say = Callable[[str], None]


@dataclass
class Played:
    """One fault and its result. ``settled``: seconds from the end of the load; ``None``: it never settled."""

    fault: Fault
    verdict: Verdict
    settled: float | None
    sent: dict[str, Sent] = field(default_factory=dict)
    measured: Sequence[str] = ()

    @property
    def holds(self) -> bool:
        """Whether it settled and all rules hold."""
        return self.settled is not None and self.verdict.holds


class Play:
    """Faults one after the other against one copy.

    Arguments:
        rate: new requests per second.
        seconds: of load after a fault strikes; some faults need more.
    """

    def __init__(self, copy: AttackedCopy, plan: Plan, *, rate: float, seconds: float) -> None:
        self._scene = Scene(copy, plan)
        self._copy = copy
        self._plan = plan
        self._rate = rate
        self._seconds = seconds
        self._names = copy.names()

    def run(self, fault: Fault, say: Say) -> Played:
        """Play one fault.

        Raises:
            BenchError: it could not be injected, or something stays away.
        """
        self._scene = Scene(self._copy, self._plan)
        sent = self._under_load(fault, say)
        settled = self._settle(lambda left: say(f"{fault.name}: settling, {left}"))
        ledger = read(self._copy, self._plan, sent)
        verdict = judge(sent, ledger, self._plan.targets, deaths=fault.deaths)
        for broken in self._scene.broken:
            verdict.break_rule("a promise in seconds is broken", broken)
        return Played(fault, verdict, settled, sent, tuple(self._scene.measured))

    def in_the_end(self, played: list[Played]) -> Verdict:
        """Judge all requests again, together, since some things may have come too late for a fault's own verdict."""
        verdict = Verdict()
        for deaths in (False, True):
            sent: dict[str, Sent] = {}
            for each in played:
                if each.fault.deaths == deaths:
                    sent |= each.sent
            ledger = read(self._copy, self._plan, sent)
            verdict += judge(sent, ledger, self._plan.targets, deaths=deaths)
        return verdict

    def _under_load(self, fault: Fault, say: Say) -> dict[str, Sent]:
        load = Load(self._plan.facts, self._copy.port, min(self._rate, fault.rate))
        load.start()
        try:
            _wait(BEFORE, lambda: say(f"{fault.name}: {load.taken} accepted"))
            with fault.strike(self._scene):
                _wait(
                    max(self._seconds, fault.lasts), lambda: say(f"{fault.name}: {load.taken} accepted, {fault.about}")
                )
                sent = load.stop() if fault.hits else None
                if fault.hits and not wait_until(lambda: hits(self._scene) >= fault.hits, PATIENCE, TICK):
                    raise BenchError(f"{fault.name} has met too few calls within {PATIENCE:.0f} s.")
            return sent or load.stop()
        except BaseException:
            load.abandon()
            raise

    def _settle(self, say: Say) -> float | None:
        """Wait until every process runs and nothing changes any more; returns how long it took."""
        began, still = time.monotonic(), 0
        while time.monotonic() - began < SETTLE_SECONDS:
            left = self._left()
            say(left or "nothing changes")
            still = 0 if left else still + 1
            if still == STILL:
                return time.monotonic() - began
            time.sleep(LOOK_PAUSE)
        return None

    def _left(self) -> str:
        if away := sorted(name for name in self._names if not self._copy.runs(name)):
            return f"{', '.join(away)} away"
        with contextlib.suppress(psycopg2.OperationalError):
            count = unsettled(self._copy, self._plan)
            return f"{count} still to be done" if count else ""
        return "PostgreSQL away"


def _wait(seconds: float, tick: Callable[[], None]) -> None:
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        tick()
        time.sleep(min(TICK, left))


@contextlib.contextmanager
def staged(rate: float, seconds: float, times: Mapping[str, str] = TIMES, *, over_tcp: bool = False) -> Iterator[Play]:
    """A play on its own copy, which is removed afterwards. ``times``, ``over_tcp``: see :class:`AttackedCopy`.

    Raises:
        RunnerError: the copy did not start.
        BenchError: its data could not be made.
    """
    with AttackedCopy(times, over_tcp=over_tcp) as copy:
        try:
            yield Play(copy, copy.plan(), rate=rate, seconds=seconds)
        except BenchError as error:
            raise BenchError(f"{error}\n\n{copy.log_tails()}") from error
