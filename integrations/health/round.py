"""The health of every system: swept once a minute, kept as rows, and read from them (docs/adr/0034).

A round writes all readings in one commit, together with the events for changed statuses. Alerts follow afterwards, by
level and not by change: if a round dies before it raises one, the next round does.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from integrations.deliveries import holds
from integrations.health import alerts, figures
from integrations.health.alerts import Key, ops_event
from integrations.health.heartbeats import Part, beat
from integrations.health.rating import OLDEST_DUE, OWN_FAULTS, Figures, rate
from integrations.models import Alert, HealthReading, OrganizationReading, PastReading, System
from integrations.models.breaker_changes import BreakerState
from integrations.models.health import Cause, HealthStatus
from wedsync.live.log.writer import NewEvent
from wedsync.live.publishing import publish

log = structlog.get_logger(__name__)
PAST_EVERY = timedelta(minutes=10)  # how often an unchanged reading is kept
ROW_FREE_AFTER = timedelta(minutes=1)  # since an event last met the locked row
MENDED_FOR = timedelta(days=1)  # how long we look for deliveries that waited because of a mended fault
PAST_KEPT = timedelta(days=7)
_LOCK = 0x6865616C  # PostgreSQL's advisory lock that lets one round run at a time
_KEPT_FIELDS = ("status", "score", "breaker", "attempts", "successes", "oldest_due_seconds", "waiting", "held")
_READING_FIELDS = (
    *_KEPT_FIELDS, "taken_at", "dead", "by_priority", "last_success_at", "last_failure_at", "why",
    "unusable", "own_faults", "own_fault", "mended_at",
)  # fmt: skip


@dataclass(frozen=True)
class Round:
    """The findings of one round."""

    systems: Mapping[UUID, System]
    readings: Mapping[UUID, HealthReading]
    unrouted: Mapping[UUID, float]


def sweep_health() -> int | None:
    """One round over all systems; returns how many, or ``None`` if another round is under way."""
    began = time.monotonic()
    found = _take_readings()
    if found is None:
        return None
    _raise_alerts(found)
    _let_mended_go(found)
    _prune()
    beat(Part.HEALTH)
    log.info("health_swept", systems=len(found.systems), milliseconds=int((time.monotonic() - began) * 1000))
    return len(found.systems)


@transaction.atomic
def _take_readings() -> Round | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s), now()", [_LOCK])
        mine, now = cursor.fetchone()
    if not mine:
        return None
    figures.sum_attempts(now)
    systems = {
        system.id: system for system in System.objects.select_related("organization").order_by("organization_id", "id")
    }
    before = HealthReading.objects.in_bulk()
    collected = figures.collect(list(systems.values()), now)
    readings = {
        system.id: _reading(system, collected[system.id], before.get(system.id), now) for system in systems.values()
    }
    HealthReading.objects.bulk_create(
        readings.values(), update_conflicts=True, unique_fields=["system"], update_fields=_READING_FIELDS
    )
    _keep_past(readings.values(), before, now)
    unrouted = figures.unrouted_ages()
    _write_organizations(systems, readings, unrouted, now)
    changed = [each for each in readings.values() if _has_changed(each, before)]
    publish([_changed(systems[each.pk], before[each.pk], each) for each in changed])
    return Round(systems, readings, unrouted)


def _reading(system: System, found: Figures, before: HealthReading | None, now: datetime) -> HealthReading:
    if system.state != System.Status.ACTIVE:
        found.oldest_due_seconds = None  # its deliveries wait because it was stopped on purpose
    found.last_success_at = found.last_success_at or (before.last_success_at if before else None)
    found.last_failure_at = found.last_failure_at or (before.last_failure_at if before else None)
    rating = rate(found, state=system.state, state_reason=system.state_reason)
    return HealthReading(
        system=system,
        taken_at=now,
        status=rating.status,
        score=rating.score,
        why=rating.why,
        breaker=found.breaker,
        attempts=found.attempts,
        successes=found.successes,
        oldest_due_seconds=found.oldest_due_seconds,
        waiting=found.waiting,
        held=found.held,
        dead=found.dead,
        by_priority=found.by_priority,
        unusable=found.unusable,
        own_faults=found.own_faults,
        own_fault=found.own_fault,
        mended_at=_mended_at(found, before, now),
        last_success_at=found.last_success_at,
        last_failure_at=found.last_failure_at,
    )


def _mended_at(found: Figures, before: HealthReading | None, now: datetime) -> datetime | None:
    """Kept in the reading, so that a later round releases what waited if this round's process dies first."""
    if before is None or found.is_at_fault:
        return None
    was = Figures(unusable=before.unusable, own_faults=before.own_faults)
    if was.is_at_fault:
        return now
    return before.mended_at if before.mended_at and before.mended_at > now - MENDED_FOR else None


def _let_mended_go(found: Round) -> None:
    """Make due what waited for a fault of ours once that is mended; until then, let one delivery try."""
    for reading in found.readings.values():
        if reading.mended_at is not None:
            holds.let_mended_go(reading.pk, before=reading.mended_at)
        elif reading.own_faults >= OWN_FAULTS and not reading.unusable:
            holds.try_one_at_fault(reading.pk)


def _has_changed(reading: HealthReading, before: Mapping[UUID, HealthReading]) -> bool:
    return reading.pk in before and _told_as(before[reading.pk].status) != _told_as(reading.status)


def _told_as(status: str) -> str:
    """The status to publish: a system's first use is not a change of its health."""
    return HealthStatus.HEALTHY.value if status == HealthStatus.UNUSED else str(status)


def _changed(system: System, before: HealthReading, reading: HealthReading) -> NewEvent:
    payload = {
        "system_id": str(system.id),
        "system": system.name,
        "status": _told_as(reading.status),
        "previous": _told_as(before.status),
        "score": reading.score,
        "why": reading.why,
    }
    return ops_event(system.organization_id, "system.health_changed", payload, reading.taken_at)


def _keep_past(readings: Iterable[HealthReading], before: Mapping[UUID, HealthReading], now: datetime) -> None:
    recent = dict(
        PastReading.objects.filter(taken_at__gt=now - PAST_EVERY).order_by("taken_at").values_list("system_id", "score")
    )
    kept = [
        PastReading(system_id=reading.pk, taken_at=now, **{name: getattr(reading, name) for name in _KEPT_FIELDS})
        for reading in readings
        if recent.get(reading.pk) != reading.score or _has_changed(reading, before)
    ]
    PastReading.objects.bulk_create(kept, batch_size=1000)


def _write_organizations(
    systems: Mapping[UUID, System],
    readings: Mapping[UUID, HealthReading],
    unrouted: Mapping[UUID, float],
    now: datetime,
) -> None:
    oldest = dict(unrouted)
    for system in systems.values():
        key, age = system.organization_id, readings[system.id].oldest_due_seconds
        if age is not None:
            oldest[key] = max(oldest.get(key, 0.0), age)
    keys = {system.organization_id for system in systems.values()} | set(unrouted)
    OrganizationReading.objects.bulk_create(
        [
            OrganizationReading(
                organization_id=key,
                taken_at=now,
                oldest_due_seconds=oldest.get(key),
                unrouted_seconds=unrouted.get(key),
            )
            for key in keys
        ],
        update_conflicts=True,
        unique_fields=["organization"],
        update_fields=["taken_at", "oldest_due_seconds", "unrouted_seconds"],
    )


def _raise_alerts(found: Round) -> None:
    """Raise alerts for what is wrong now, and close those whose cause is over."""
    wrong: dict[Key, str] = {}
    for system in found.systems.values():
        reading = found.readings[system.id]
        if reading.status == HealthStatus.CRITICAL:
            text = f"“{system.name}” is critical (score {reading.score}). {' '.join(reading.why)}"
            wrong[system.organization_id, Cause.SYSTEM_CRITICAL, system.id] = text
        if _too_old(reading.oldest_due_seconds):
            text = f"A delivery to “{system.name}” has been due for {reading.oldest_due_seconds:.0f} s."
            wrong[system.organization_id, Cause.OLDEST_DUE, system.id] = text
    for organization_id, age in found.unrouted.items():
        if _too_old(age):
            text = f"An event has waited {age:.0f} s for its routing: the workers are behind, or have stopped."
            wrong[organization_id, Cause.OLDEST_DUE, None] = text
    for alert in Alert.objects.filter(resolved_at=None).select_related("system"):
        if _is_over(alert, wrong, found.readings):
            _or_log(partial(alerts.resolve, alert))
    known = alerts.found_again(wrong)
    for (organization_id, cause, system_id), text in wrong.items():
        if (organization_id, cause, system_id) not in known:
            about = found.systems[system_id] if system_id else None
            _or_log(partial(alerts.raise_alert, organization_id, cause, text, system=about))


def _or_log(act: Callable[[], object]) -> None:
    """One organization's broken row must not keep the others from their alerts."""
    try:
        act()
    except OperationalError:
        raise
    except Exception:
        log.exception("alert_not_written")


def _too_old(seconds: float | None) -> bool:
    return seconds is not None and seconds > OLDEST_DUE[HealthStatus.CRITICAL]


def _is_over(alert: Alert, wrong: Mapping[Key, str], readings: Mapping[UUID, HealthReading]) -> bool:
    """Whether this round's findings end an alert. The alert about a silent part is closed by its watchers.

    A system works again when a call to it has succeeded, not when its breaker begins to probe, nor when it is stopped.
    """
    reading = readings.get(alert.system_id) if alert.system_id else None
    if alert.cause == Cause.SYSTEM_STOPPED:
        return alert.system is None or alert.system.state == System.Status.ACTIVE
    if alert.cause == Cause.SYSTEM_CRITICAL:
        return alerts.key_of(alert) not in wrong and (reading is None or _works(reading))
    if alert.cause == Cause.LOOP:
        return alert.last_at < timezone.now() - timedelta(seconds=settings.LOOP_SECONDS)
    if alert.cause == Cause.OLDEST_DUE:
        stopped = alert.system is not None and alert.system.state != System.Status.ACTIVE
        return alerts.key_of(alert) not in wrong and not (stopped and reading and reading.waiting)
    if alert.cause == Cause.ROW_LOCKED:
        return alert.last_at < timezone.now() - ROW_FREE_AFTER
    return False


def _works(reading: HealthReading) -> bool:
    """Whether the last call that says something about the system succeeded, and its breaker is closed."""
    if reading.breaker in {BreakerState.OPEN, BreakerState.HALF_OPEN}:
        return False
    failed, succeeded = reading.last_failure_at, reading.last_success_at
    return failed is None or (succeeded is not None and succeeded >= failed)


def _prune() -> None:
    PastReading.objects.filter(taken_at__lt=timezone.now() - PAST_KEPT).delete()
