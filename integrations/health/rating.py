"""How healthy a system is, judged from its figures. Pure. docs/operators/health.md."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from integrations.models.breaker_changes import BreakerState
from integrations.models.health import Cause, HealthStatus

ENOUGH = 20  # calls; with fewer, the success rate says little
FEWEST_SUCCESSES = {HealthStatus.CRITICAL: 95.0, HealthStatus.WARNING: 99.5}  # percent
OLDEST_DUE = {HealthStatus.CRITICAL: 60.0, HealthStatus.WARNING: 15.0}  # seconds
LONG_QUEUE = 1_000  # deliveries
OWN_FAULTS = 3  # in a row: nothing will reach the system until the fault is mended
# The most that each takes off the score of 100.
FOR_FAILURES, FOR_BREAKER, FOR_AGE, FOR_QUEUE = 50, 50, 40, 10
PER_FAILED_PERCENT = 10


@dataclass
class Figures:
    """The figures of a system at one time. Ages in seconds; ``None``: nothing is due, or nothing was tried.

    ``unusable``: why no call at all can be made. ``own_faults``: how many of the newest calls in a row failed through a
    fault of ours; ``own_fault``: the text of the last one. ``alerts``: the causes of its open alerts.
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
        """Whether no call has yet said anything about the system, and none is waiting to be made."""
        return not (self.attempts or self.waiting) and self.last_success_at is None and self.last_failure_at is None

    @property
    def is_at_fault(self) -> bool:
        """Whether a fault of ours keeps everything from reaching the system."""
        return bool(self.unusable) or self.own_faults >= OWN_FAULTS

    @property
    def success_rate(self) -> float | None:
        """Percent."""
        return 100 * self.successes / self.attempts if self.attempts else None


@dataclass(frozen=True)
class Rating:
    """The judgement. ``why``: sentences; empty if all is well."""

    status: HealthStatus
    score: int
    why: list[str]


def rate(figures: Figures, *, state: str = "active", state_reason: str = "") -> Rating:
    """Rate a system. Being paused or disabled alone never makes it critical."""
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
        why.insert(0, f"The system is {state}{because}. Deliveries waiting for it: {figures.waiting}.")
        status = min(status, HealthStatus.WARNING, key=lambda each: each.rank)
    return Rating(status, score(figures), why)


def worst(statuses: Iterable[HealthStatus]) -> HealthStatus:
    """The worst of the statuses; healthy if there are none, or if nothing has been used yet."""
    return max([HealthStatus.HEALTHY, *statuses], key=lambda each: each.rank)


def score(figures: Figures) -> int:
    """0 to 100: 100 less deductions for failed calls, the breaker, the age of due deliveries, and the queue."""
    deducted = FOR_QUEUE * min(1.0, figures.waiting / LONG_QUEUE)
    deducted += {BreakerState.OPEN: FOR_BREAKER, BreakerState.HALF_OPEN: FOR_BREAKER / 2}.get(figures.breaker, 0)
    deducted += FOR_AGE * min(1.0, (figures.oldest_due_seconds or 0) / OLDEST_DUE[HealthStatus.CRITICAL])
    if (rate := figures.success_rate) is not None:
        sure = min(1.0, figures.attempts / ENOUGH)
        deducted += sure * min(FOR_FAILURES, PER_FAILED_PERCENT * (100 - rate))
    return max(0, round(100 - deducted))


def _of_breaker(breaker: BreakerState) -> Iterable[tuple[HealthStatus, str]]:
    if breaker == BreakerState.OPEN:
        yield HealthStatus.CRITICAL, "Its breaker is open: calls kept failing, and deliveries are held."
    elif breaker == BreakerState.HALF_OPEN:
        yield HealthStatus.WARNING, "Its breaker lets single calls through to test whether it works again."


def _of_own_faults(figures: Figures) -> Iterable[tuple[HealthStatus, str]]:
    if figures.unusable:
        yield HealthStatus.CRITICAL, f"It cannot be called. {figures.unusable} Deliveries to it wait."
    elif figures.own_faults >= OWN_FAULTS:
        yield (
            HealthStatus.CRITICAL,
            f"The last {figures.own_faults} calls failed because of a fault of ours: {figures.own_fault}",
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
            yield status, f"The oldest due delivery has waited for {seconds:.0f} s."
            return


def of_age(seconds: float | None) -> HealthStatus:
    """The status by the age of the oldest due row alone."""
    return worst(status for status, _ in _of_age(seconds))
