"""The figures of all systems from the rows, in a few queries that use indexes (docs/adr/0034).

Attempts are summed up by system and minute: each round counts the last minutes anew, and no round counts an hour. What
waits is counted where it stands, which the partial indexes on open rows bound.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Sum

from integrations.breaker_states import breaker_states
from integrations.errors import not_in_health
from integrations.models import Alert, AttemptMinute, Delivery, System
from integrations.models.health import Cause
from integrations.rating import Figures
from integrations.states import Reason, State
from wedsync.ids import first_id_since

# An attempt's row is written when it has ended, a lost one's when its lease has; so long the sums may still grow.
SETTLES = timedelta(minutes=3)
DAY = timedelta(days=1)
# Held for something that is not the fault of anybody.
NOT_DUE = (
    Reason.SYSTEM_PAUSED,
    Reason.QUIET_HOURS,
    Reason.WAITS_ITS_TURN,
    Reason.AWAITS_STATUS,
    Reason.GATHERED,
    Reason.PAIR_LIMITED,
)

_SUM_ATTEMPTS = """
INSERT INTO integrations_attemptminute (system_id, minute, attempts, successes, last_success_at, last_failure_at)
SELECT delivery.system_id, date_trunc('minute', attempt.started_at), count(*),
  count(*) FILTER (WHERE attempt.outcome = 'succeeded'),
  max(attempt.started_at) FILTER (WHERE attempt.outcome = 'succeeded'),
  max(attempt.started_at) FILTER (WHERE attempt.outcome <> 'succeeded')
FROM integrations_attempt attempt JOIN integrations_delivery delivery ON delivery.id = attempt.delivery_id
WHERE attempt.id >= %s AND attempt.started_at >= %s AND NOT attempt.error_class = ANY(%s)
GROUP BY 1, 2
ON CONFLICT (minute, system_id) DO UPDATE SET attempts = EXCLUDED.attempts, successes = EXCLUDED.successes,
  last_success_at = EXCLUDED.last_success_at, last_failure_at = EXCLUDED.last_failure_at
"""
# What a breaker or a rate holds is due all the same, and stays due since it first was: its next_attempt_at only says
# when that is asked again.
_WAITING = """
SELECT system_id, priority, count(*), count(*) FILTER (WHERE state = 'held'),
  extract(epoch FROM now() - min(due_since) FILTER (WHERE state <> 'held' OR NOT state_reason = ANY(%(not_due)s)))
FROM integrations_delivery WHERE state IN ('pending', 'scheduled', 'held')
GROUP BY system_id, priority
"""


def window() -> timedelta:
    """How far the success rate looks back."""
    return timedelta(seconds=settings.HEALTH_WINDOW_SECONDS)


def sum_attempts(now: datetime) -> None:
    """Write the sums of the minutes that may have changed since the last round; done twice it changes nothing."""
    last = AttemptMinute.objects.aggregate(last=Max("minute"))["last"]
    earliest = now - window()
    since = max(earliest, last - SETTLES) if last else earliest
    since = since.replace(second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(_SUM_ATTEMPTS, [first_id_since(since), since, not_in_health()])
    AttemptMinute.objects.filter(minute__lt=earliest - timedelta(minutes=1)).delete()


def take(systems: list[System], now: datetime) -> dict[UUID, Figures]:
    """The figures of each of the systems."""
    found: dict[UUID, Figures] = defaultdict(Figures)
    found.update({system.id: Figures() for system in systems})
    for row in _sums(now):
        figures = found[row["system_id"]]
        figures.attempts, figures.successes = row["tried"], row["succeeded"]
        figures.last_success_at, figures.last_failure_at = row["success_at"], row["failure_at"]
    _count_waiting(found)
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
    """By system, why alerts about it are open; of one organization, or of all."""
    rows = Alert.objects.filter(resolved_at=None, system__isnull=False).order_by("first_at")
    rows = rows.filter(organization_id=organization_id) if organization_id else rows
    found: dict[UUID, list[Cause]] = defaultdict(list)
    for system_id, cause in rows.values_list("system_id", "cause"):
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
    """By organization, how many seconds its oldest event waits for its routing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT organization_id, extract(epoch FROM now() - min(received_at)) FROM live_channelevent "
            "WHERE routing = 'pending' GROUP BY organization_id"
        )
        return {organization_id: float(age) for organization_id, age in cursor.fetchall()}
