"""Applies stored notices, each once: its row is locked, and marked in the transaction of its effects.

Any number of workers may do so concurrently; each skips rows that another has locked (docs/staff/statuses.md,
docs/adr/0045).
"""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.functions import Greatest, Least, Now

from notifications.feedback import effects
from webhooks.callbacks import BY_KIND
from webhooks.models import ProviderNotice
from wedsync import correlation
from wedsync.database.errors import POSTGRES_AWAY
from wedsync.live.fan_out import hints
from wedsync.queues import Priority

log = structlog.get_logger(__name__)
Kind = ProviderNotice.Kind
KINDS = {Priority.URGENT: (Kind.INTERACTION, Kind.MESSAGE), Priority.HIGH: (Kind.STATUS, Kind.OTHER)}
"""People's notices go before machines': they may end an escalation."""
BATCH = 100  # ids looked up together
MOST_IN_A_TASK = 1_000
MOST_FAILURES = 5
WAITS_FOR_ITS_MESSAGE = timedelta(minutes=10)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=1), timedelta(minutes=1)


def queue_of(kind: str) -> Priority:
    """The queue in which notices of a kind are applied."""
    return next(queue for queue, kinds in KINDS.items() if kind in kinds)


def apply_waiting(connection_id: str, queue: Priority) -> int:
    """Apply a connection's waiting notices of a queue, oldest first; returns how many were applied or given up.

    After many it sends another task, so that no worker is occupied for long.

    Raises:
        OperationalError, InterfaceError: PostgreSQL is away. Applied notices stay applied.
    """
    waiting = _unapplied().filter(connection_id=connection_id, kind__in=KINDS[queue])
    taken, seen, reached = 0, 0, None
    while True:
        following = waiting.filter(id__gt=reached) if reached else waiting
        ids = list(following.order_by("id").values_list("id", flat=True)[:BATCH])
        taken += _apply_each(ids)
        seen += len(ids)
        if len(ids) < BATCH:
            return taken
        reached = ids[-1]
        if seen >= MOST_IN_A_TASK:
            hints.notices_stored([(connection_id, queue)])
            return taken


def apply_left() -> int:
    """Apply notices whose hint was lost, or that wait for their message: a round of the sweep. Returns how many."""
    overdue = timedelta(seconds=settings.SWEEP_OVERDUE_SECONDS)
    left = _unapplied().filter(Q(take_after__isnull=False) | Q(received_at__lt=Now() - overdue))
    ids = list(left.order_by("id").values_list("id", flat=True)[:BATCH])
    return _apply_each(ids)


def apply_one(notice_id: UUID) -> bool:
    """Apply one notice; false if it is not due now, or if another worker is applying it."""
    with ExitStack() as about, transaction.atomic():
        rows = _unapplied().select_for_update(of=("self",), skip_locked=True).select_related("connection__system")
        notice = rows.filter(id=notice_id).annotate(correlation_id=F("receipt__correlation_id")).first()
        if notice is None:
            return False
        about.enter_context(correlation.of_stored(notice.correlation_id))
        row = ProviderNotice.objects.filter(id=notice.id)
        try:
            with transaction.atomic():
                known = _apply_effect(notice)
        except POSTGRES_AWAY:
            raise
        except Exception as error:
            log.exception("notice_not_taken", notice=str(notice.id), name=notice.name)
            _note_failure(row, notice, error)
            return True
        if known:
            row.update(taken_at=Now(), take_after=None, taken_error="")
            log.info("notice_taken", notice=str(notice.id), name=notice.name)
        else:
            _wait_for_its_message(row)
    return True


def _unapplied() -> QuerySet[ProviderNotice]:
    due = Q(take_after=None) | Q(take_after__lte=Now())
    return ProviderNotice.objects.filter(due, taken_at=None)


def _apply_each(ids: Sequence[UUID]) -> int:
    return sum(apply_one(notice_id) for notice_id in ids)


def _apply_effect(notice: ProviderNotice) -> bool:
    """Apply a notice's effect; false if its message is not known, or not yet."""
    system = notice.connection.system
    provider = BY_KIND.get(system.kind)
    effect = provider.effect_of(notice) if provider else None
    return effect is None or effects.apply(notice.organization_id, system.id, effect)


def _wait_for_its_message(row: QuerySet[ProviderNotice]) -> None:
    """Postpone a notice: a status may come before the send's answer is noted, or belong to a message not ours."""
    given_up = row.filter(received_at__lt=Now() - WAITS_FOR_ITS_MESSAGE)
    if not given_up.update(taken_at=Now(), take_after=None, taken_error="no message of ours has this id"):
        age = ExpressionWrapper(Now() - F("received_at"), output_field=DurationField())
        row.update(take_after=Now() + Least(Greatest(age, Value(_FIRST_WAIT)), Value(_LONGEST_WAIT)))


def _note_failure(row: QuerySet[ProviderNotice], notice: ProviderNotice, error: Exception) -> None:
    """Note a failure. The notice is retried at growing intervals, then left to staff, so it cannot loop forever."""
    failures = notice.take_failures + 1
    fields = {"take_failures": failures, "taken_error": type(error).__name__}
    if failures >= MOST_FAILURES:
        row.update(taken_at=Now(), take_after=None, **fields)
    else:
        row.update(take_after=Now() + timedelta(seconds=5 * 2**failures), **fields)
