"""The health report of an organization: the readings of the last sweep, and the breakers as they are now."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from integrations.health.breaker_states import breaker_states
from integrations.health.figures import causes_by_system, open_causes
from integrations.health.heartbeats import Part
from integrations.health.rating import Figures, Rating, of_age, rate, worst
from integrations.models import Alert, HealthReading, OrganizationReading, System
from integrations.models.breaker_changes import BreakerState
from integrations.models.health import Cause, HealthStatus
from integrations.references.linking import MOST_COUNTED, count_unlinked
from wedsync.queues import Priority

MOST_ALERTS = 100


@dataclass(frozen=True)
class SystemHealth:
    """A system, its newest reading (``None``: not swept yet), and its rating with the breaker as it is now."""

    system: System
    reading: HealthReading | None
    breaker: BreakerState
    rating: Rating


@dataclass(frozen=True)
class Health:
    """The health of an organization. ``taken_at``: the time of the figures; ``None``: not swept yet."""

    status: HealthStatus
    score: int
    why: list[str]
    taken_at: datetime | None
    oldest_due_seconds: float | None
    queues: dict[str, int]
    systems: list[SystemHealth]
    alerts: list[Alert]
    unlinked: int


def report(organization_id: UUID) -> Health:
    """The health of one organization and of its systems, the worst first."""
    rows = System.objects.filter(organization_id=organization_id).select_related("reading").order_by("name")
    systems = list(rows)
    states = breaker_states(systems)
    alerts = list(_open(organization_id))
    causes = causes_by_system((alert.system_id, alert.cause) for alert in reversed(alerts))
    rated = [_rated(system, states[system.id], causes.get(system.id, [])) for system in systems]
    rated.sort(key=lambda each: (-each.rating.status.rank, each.rating.score))
    whole = OrganizationReading.objects.filter(organization_id=organization_id).first()
    active = [each.rating for each in rated if each.system.state == System.Status.ACTIVE]
    late = of_age(whole.oldest_due_seconds if whole else None)
    unlinked = count_unlinked(organization_id)
    why = [*_why(whole), *_unlinked(unlinked)]
    statuses = [*(each.status for each in active), late, *([HealthStatus.CRITICAL] if _is_stale(whole) else [])]
    return Health(
        status=worst(statuses),
        score=min((each.score for each in active), default=100),
        why=why,
        taken_at=whole.taken_at if whole else None,
        oldest_due_seconds=whole.oldest_due_seconds if whole else None,
        queues=_queues(rated),
        systems=rated,
        alerts=alerts[:MOST_ALERTS],
        unlinked=unlinked,
    )


def of_system(system: System) -> SystemHealth:
    """The health of one system, as in :func:`report`."""
    causes = open_causes(system.organization_id).get(system.id, [])
    return _rated(system, breaker_states([system])[system.id], causes)


def _open(organization_id: UUID) -> QuerySet[Alert]:
    rows = Alert.objects.filter(organization_id=organization_id, resolved_at=None).select_related("system")
    return rows.order_by("-first_at")


def _rated(system: System, breaker: BreakerState, causes: list[Cause]) -> SystemHealth:
    reading: HealthReading | None = getattr(system, "reading", None)
    figures = Figures(breaker=breaker, alerts=causes)
    if reading:
        figures.attempts, figures.successes = reading.attempts, reading.successes
        figures.waiting, figures.held = reading.waiting, reading.held
        figures.unusable, figures.own_faults, figures.own_fault = (
            reading.unusable,
            reading.own_faults,
            reading.own_fault,
        )
        figures.last_success_at, figures.last_failure_at = reading.last_success_at, reading.last_failure_at
        figures.oldest_due_seconds = reading.oldest_due_seconds if system.state == System.Status.ACTIVE else None
    return SystemHealth(system, reading, breaker, rate(figures, state=system.state, state_reason=system.state_reason))


def _is_stale(whole: OrganizationReading | None) -> bool:
    if whole is None:
        return False
    return (timezone.now() - whole.taken_at).total_seconds() > Part.HEALTH.longest_silence


def _why(whole: OrganizationReading | None) -> list[str]:
    if whole is None:
        return ["No figures yet: the first come within a minute."]
    found = []
    if _is_stale(whole):
        found.append(f"The figures are from {whole.taken_at:%Y-%m-%d %H:%M:%S} UTC: the health sweep has stopped.")
    if of_age(whole.unrouted_seconds) != HealthStatus.HEALTHY:
        found.append(f"The oldest unrouted event has waited for {whole.unrouted_seconds:.0f} s.")
    return found


def _unlinked(count: int) -> list[str]:
    """The sentence about events without a wedding."""
    if not count:
        return []
    number = f"{count:,} or more" if count >= MOST_COUNTED else f"{count:,}"
    events = "event waits" if count == 1 else "events wait"
    return [f"{number} {events} for a wedding: choose one for each in the admin."]


def _queues(rated: list[SystemHealth]) -> dict[str, int]:
    """How many deliveries of the organization wait, by priority."""
    readings = [each.reading for each in rated if each.reading]
    return {name: sum(reading.by_priority.get(name, 0) for reading in readings) for name in Priority.values}
