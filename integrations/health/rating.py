"""How well a system does, from its figures. Pure. docs/operators/health.md."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from integrations.models.breaker import BreakerState
from integrations.models.health import Cause, HealthStatus

ENOUGH = 20  # calls; of fewer the success rate says little
FEWEST_SUCCESSES = {HealthStatus.CRITICAL: 95.0, HealthStatus.WARNING: 99.5}  # percent
OLDEST_DUE = {HealthStatus.CRITICAL: 60.0, HealthStatus.WARNING: 15.0}  # seconds
LONG_QUEUE = 1_000  # deliveries
OWN_FAULTS = 3  # in a row: then nothing reaches the system until we mend it
# What is taken off the score of 100, at most.
FOR_FAILURES, FOR_BREAKER, FOR_AGE, FOR_QUEUE = 50, 50, 40, 10
PER_FAILED_PERCENT = 10


@dataclass
class Figures:
    """What is known of a system at one time. Ages in seconds; ``None``: nothing is due, nothing was tried.

    ``unusable``: why no call can be made, whatever is sent. ``own_faults``: how many of the newest calls in a row ended
    by a fault of ours, and ``own_fault`` what the last of them said. ``alerts``: why alerts about it are open.
    """

    attempts: int = 0
    successes: int = 0
    oldest_due_seconds: float | None = None
    waiting: int = 0
    held: int = 0
    dead: int = 0
    by_priority: dict[str, int] = field(default_factory=dict)
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    breaker: BreakerState = BreakerState.UNKNOWN
    unusable: str = ""
    own_faults: int = 0
    own_fault: str = ""
    alerts: list[Cause] = field(default_factory=list)

    @property
    def never_called(self) -> bool:
        """Whether no call has ended yet that says something about the system, and none is to be made."""
        return not (self.attempts or self.waiting) and self.last_success_at is None and self.last_failure_at is None

    @property
    def is_at_fault(self) -> bool:
        """Whether nothing reaches the system by a fault of ours."""
        return bool(self.unusable) or self.own_faults >= OWN_FAULTS

    @property
    def success_rate(self) -> float | None:
        """Percent."""
        return 100 * self.successes / self.attempts if self.attempts else None


@dataclass(frozen=True)
class Rating:
    """The judgement. ``why``: sentences; none where all is well."""

    status: HealthStatus
    score: int
    why: list[str]


def rate(figures: Figures, *, state: str = "active", state_reason: str = "") -> Rating:
    """Rate a system. One that staff or its own answers have stopped is never critical by that alone."""
    found = [
        *_of_breaker(figures.breaker),
        *_of_own_faults(figures),
        *_of_calls(figures),
        *_of_age(figures.oldest_due_seconds),
        *_of_alerts(figures.alerts),
    ]
    status = worst(status for status, _ in found)
    why = [sentence for _, sentence in found]
    if not found and figures.never_called:
        status, why = HealthStatus.UNUSED, ["Not used yet: nothing has been sent to it."]
    if state != "active":
        because = f" ({state_reason.replace('_', ' ')})" if state_reason else ""
        why.insert(0, f"The system is {state}{because}. Deliveries that wait for it: {figures.waiting}.")
        status = min(status, HealthStatus.WARNING, key=lambda each: each.rank)
    return Rating(status, score(figures), why)


def worst(statuses: Iterable[HealthStatus]) -> HealthStatus:
    """The worst of them; healthy where there are none, or where nothing was used yet."""
    return max([HealthStatus.HEALTHY, *statuses], key=lambda each: each.rank)


def score(figures: Figures) -> int:
    """0 to 100: 100 less what its calls, its breaker, the age of what is due, and its queue take off."""
    taken = FOR_QUEUE * min(1.0, figures.waiting / LONG_QUEUE)
    taken += {BreakerState.OPEN: FOR_BREAKER, BreakerState.HALF_OPEN: FOR_BREAKER / 2}.get(figures.breaker, 0)
    taken += FOR_AGE * min(1.0, (figures.oldest_due_seconds or 0) / OLDEST_DUE[HealthStatus.CRITICAL])
    if (rate := figures.success_rate) is not None:
        sure = min(1.0, figures.attempts / ENOUGH)
        taken += sure * min(FOR_FAILURES, PER_FAILED_PERCENT * (100 - rate))
    return max(0, round(100 - taken))


def _of_breaker(breaker: BreakerState) -> Iterable[tuple[HealthStatus, str]]:
    if breaker == BreakerState.OPEN:
        yield HealthStatus.CRITICAL, "Its breaker is open: calls failed again and again, and deliveries are held."
    elif breaker == BreakerState.HALF_OPEN:
        yield HealthStatus.WARNING, "Its breaker lets single calls probe whether it works again."


def _of_own_faults(figures: Figures) -> Iterable[tuple[HealthStatus, str]]:
    if figures.unusable:
        yield HealthStatus.CRITICAL, f"It cannot be called. {figures.unusable} What goes to it waits."
    elif figures.own_faults >= OWN_FAULTS:
        yield (
            HealthStatus.CRITICAL,
            f"The last {figures.own_faults} calls failed by a fault of ours: {figures.own_fault}",
        )


def _of_alerts(causes: Iterable[Cause]) -> Iterable[tuple[HealthStatus, str]]:
    for cause in causes:
        yield HealthStatus.WARNING, f"An alert is open: {Cause(cause).label}."


def _of_calls(figures: Figures) -> Iterable[tuple[HealthStatus, str]]:
    rate = figures.success_rate
    if rate is None or figures.attempts < ENOUGH:
        return
    for status, fewest in FEWEST_SUCCESSES.items():
        if rate < fewest:
            yield status, f"{figures.successes} of {figures.attempts} calls succeeded ({rate:.1f} %)."
            return


def _of_age(seconds: float | None) -> Iterable[tuple[HealthStatus, str]]:
    for status, longest in OLDEST_DUE.items():
        if seconds is not None and seconds > longest:
            yield status, f"The oldest delivery that is due has waited for {seconds:.0f} s."
            return


def of_age(seconds: float | None) -> HealthStatus:
    """What the age of the oldest due row says by itself."""
    return worst(status for status, _ in _of_age(seconds))
