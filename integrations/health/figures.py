"""The figures of all systems from the rows, in a few queries that use indexes (docs/adr/0034).

Attempts are summed up by system and minute: each round recounts the last minutes, and no round counts an hour. Waiting
deliveries are counted from their own rows, at a cost bounded by the partial indexes on open rows.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Sum

from integrations.credentials import checks
from integrations.errors import OurFault, not_in_health
from integrations.health.breaker_states import breaker_states
from integrations.health.rating import Figures
from integrations.models import Alert, AttemptMinute, Delivery, System
from integrations.models.health import Cause
from integrations.states import Reason, State
from wedsync.ids import first_id_since

# An attempt's row is written when it ends, a lost one's when its lease ends; until then the sums may still grow.
SETTLES = timedelta(minutes=3)
DAY = timedelta(days=1)
# Held for a reason that is nobody's fault.
NOT_DUE = (
    Reason.SYSTEM_PAUSED,
    Reason.QUIET_HOURS,
    Reason.WAITS_ITS_TURN,
    Reason.AWAITS_STATUS,
    Reason.GATHERED,
    Reason.PAIR_LIMITED,
)

_SUM_ATTEMPTS = """
INSERT INTO integrations_attemptminute (system_id, minute, attempts, successes, last_success_at, last_failure_at,
  own_faults, last_own_fault_at, own_fault)
SELECT delivery.system_id, date_trunc('minute', attempt.started_at),
  count(*) FILTER (WHERE attempt.error_class <> %(own)s),
  count(*) FILTER (WHERE attempt.outcome = 'succeeded'),
  max(attempt.started_at) FILTER (WHERE attempt.outcome = 'succeeded'),
  max(attempt.started_at) FILTER (WHERE attempt.outcome <> 'succeeded' AND attempt.error_class <> %(own)s),
  count(*) FILTER (WHERE attempt.error_class = %(own)s),
  max(attempt.started_at) FILTER (WHERE attempt.error_class = %(own)s),
  coalesce((array_agg(attempt.error ORDER BY attempt.started_at DESC) FILTER (WHERE attempt.error_class = %(own)s))[1],
    '')
FROM integrations_attempt attempt JOIN integrations_delivery delivery ON delivery.id = attempt.delivery_id
WHERE attempt.id >= %(first)s AND attempt.started_at >= %(since)s AND NOT attempt.error_class = ANY(%(not_counted)s)
GROUP BY 1, 2
ON CONFLICT (minute, system_id) DO UPDATE SET attempts = EXCLUDED.attempts, successes = EXCLUDED.successes,
  last_success_at = EXCLUDED.last_success_at, last_failure_at = EXCLUDED.last_failure_at,
  own_faults = EXCLUDED.own_faults, last_own_fault_at = EXCLUDED.last_own_fault_at, own_fault = EXCLUDED.own_fault
"""
_OWN_FAULT = OurFault.__name__
# Faults of ours since the last call that says something about the system.
_OWN_FAULTS = """
SELECT minute.system_id, sum(minute.own_faults),
  (array_agg(minute.own_fault ORDER BY minute.last_own_fault_at DESC))[1]
FROM integrations_attemptminute minute JOIN (
  SELECT system_id, greatest(max(last_success_at), max(last_failure_at)) AS at
  FROM integrations_attemptminute WHERE minute >= %(since)s GROUP BY system_id
) other ON other.system_id = minute.system_id
WHERE minute.minute >= %(since)s AND minute.own_faults > 0 AND (other.at IS NULL OR minute.last_own_fault_at > other.at)
GROUP BY minute.system_id
"""
# A delivery held by a breaker or a rate is still due, since the time it first was: its next_attempt_at only says when
# admission is asked again.
_WAITING = """
SELECT system_id, priority, count(*), count(*) FILTER (WHERE state = 'held'),
  extract(epoch FROM now() - min(due_since) FILTER (WHERE state <> 'held' OR NOT state_reason = ANY(%(not_due)s)))
FROM integrations_delivery WHERE state IN ('pending', 'scheduled', 'held')
GROUP BY system_id, priority
"""


def window() -> timedelta:
    """The period that the success rate covers."""
    return timedelta(seconds=settings.HEALTH_WINDOW_SECONDS)


def sum_attempts(now: datetime) -> None:
    """Write the sums of the minutes that may have changed since the last round; safe to repeat."""
    last = AttemptMinute.objects.aggregate(last=Max("minute"))["last"]
    earliest = now - window()
    since = max(earliest, last - SETTLES) if last else earliest
    since = since.replace(second=0, microsecond=0)
    with connection.cursor() as cursor:
        not_counted = [name for name in not_in_health() if name != _OWN_FAULT]
        bounds = {"first": first_id_since(since), "since": since}
        cursor.execute(_SUM_ATTEMPTS, {**bounds, "own": _OWN_FAULT, "not_counted": not_counted})
    AttemptMinute.objects.filter(minute__lt=earliest - timedelta(minutes=1)).delete()


def collect(systems: list[System], now: datetime) -> dict[UUID, Figures]:
    """The figures of each of the systems."""
    found: dict[UUID, Figures] = defaultdict(Figures)
    found.update({system.id: Figures() for system in systems})
    for row in _sums(now):
        figures = found[row["system_id"]]
        figures.attempts, figures.successes = row["tried"], row["succeeded"]
        figures.last_success_at, figures.last_failure_at = row["success_at"], row["failure_at"]
    _count_waiting(found)
    for system_id, faults, newest in _own_faults(now):
        found[system_id].own_faults, found[system_id].own_fault = int(faults), newest
    for system in systems:
        found[system.id].unusable = " ".join(checks.problems(system))[:500]
    for system_id, causes in open_causes().items():
        found[system_id].alerts = causes
    died = Delivery.objects.filter(state=State.DEAD, finished_at__gt=now - DAY)
    for system_id, count in died.values_list("system_id").annotate(count=Count("*")).order_by():
        found[system_id].dead = count
    active = [system for system in systems if system.state == System.Status.ACTIVE]
    for system_id, state in breaker_states(active).items():
        found[system_id].breaker = state
    return {system.id: found[system.id] for system in systems}


def open_causes(organization_id: UUID | None = None) -> dict[UUID, list[Cause]]:
    """By system, the causes of its open alerts; for one organization, or for all."""
    rows = Alert.objects.filter(resolved_at=None, system__isnull=False).order_by("first_at")
    rows = rows.filter(organization_id=organization_id) if organization_id else rows
    return causes_by_system(rows.values_list("system_id", "cause"))


def causes_by_system(pairs: Iterable[tuple[UUID | None, str]]) -> dict[UUID, list[Cause]]:
    """The causes of alerts, each once, by system; ``pairs``: the system (or ``None``) and cause of each alert."""
    found: dict[UUID, list[Cause]] = defaultdict(list)
    for system_id, cause in pairs:
        if system_id and cause not in found[system_id]:
            found[system_id].append(Cause(cause))
    return dict(found)


def _sums(now: datetime) -> Any:
    minutes = AttemptMinute.objects.filter(minute__gte=now - window())
    return (
        minutes.values("system_id")
        .order_by()
        .annotate(
            tried=Sum("attempts"),
            succeeded=Sum("successes"),
            success_at=Max("last_success_at"),
            failure_at=Max("last_failure_at"),
        )
    )


def _own_faults(now: datetime) -> list[tuple[UUID, int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(_OWN_FAULTS, {"since": now - window()})
        return list(cursor.fetchall())


def _count_waiting(found: dict[UUID, Figures]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"not_due": [reason.value for reason in NOT_DUE]})
        for system_id, priority, waiting, held, age in cursor.fetchall():
            figures = found[system_id]
            figures.waiting += waiting
            figures.held += held
            figures.by_priority[priority] = waiting
            if age is not None and age > 0:
                figures.oldest_due_seconds = max(figures.oldest_due_seconds or 0.0, float(age))


def unrouted_ages() -> dict[UUID, float]:
    """By organization, how many seconds its oldest unrouted event has waited."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT organization_id, extract(epoch FROM now() - min(received_at)) FROM live_channelevent "
            "WHERE routing = 'pending' GROUP BY organization_id"
        )
        return {organization_id: float(age) for organization_id, age in cursor.fetchall()}
