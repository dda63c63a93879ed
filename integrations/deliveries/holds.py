"""Deliveries that wait because their target accepts no more now: ``held``, with the reason and a time.

A held delivery costs no attempt and wakes no worker before its time.
"""

from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from integrations.deliveries.claims import EARLY, LEAST_PRECEDENCE, URGENT_PRECEDENCE
from integrations.deliveries.state_changes import change, change_unlocked, due_in
from integrations.models import Attempt, Delivery
from integrations.models.deliveries import STAFF_CALL
from integrations.states import WAITING, Reason, State
from wedsync.database.batches import update_all
from wedsync.queues import Priority

MOST_MENDED_TRIES = 10  # of one delivery; if it still fails then, it keeps to its own schedule


def _due(system_id: UUID) -> QuerySet[Delivery]:
    return Delivery.objects.filter(system_id=system_id, state__in=list(WAITING), next_attempt_at__lte=Now())


def for_open_breaker(system_id: UUID, seconds: float) -> int:
    """Hold all that is due for a system until its breaker may be probed.

    A call to staff that has not been tried yet is not held: see :func:`is_untried_staff_call`.
    """
    held = _due(system_id).exclude(plan_step__gte=STAFF_CALL, attempt_count=0)
    return change_unlocked(held, State.HELD, Reason.BREAKER_OPEN, next_attempt_at=due_in(seconds))


def is_untried_staff_call(delivery_id: UUID) -> bool:
    """Whether a delivery calls staff about an emergency that nobody has acknowledged, and has not been tried yet.

    Each of these calls is tried once on every channel, whatever a breaker has counted: it costs one request a minute,
    and nobody else is left to tell (docs/adr/0063).
    """
    return Delivery.objects.filter(
        id=delivery_id, plan_step__gte=STAFF_CALL, attempt_count=0, state__in=list(WAITING)
    ).exists()


def for_throttled(system_id: UUID, seconds: float) -> int:
    """Hold all that is due for a system that throttles us, except urgent deliveries."""
    patient = _due(system_id).filter(precedence__gt=URGENT_PRECEDENCE)
    return change_unlocked(patient, State.HELD, Reason.THROTTLED, next_attempt_at=due_in(seconds))


def for_paused(system_id: UUID, seconds: float) -> int:
    """Hold all that is due for a system that asked us to pause, urgent deliveries too."""
    return change_unlocked(_due(system_id), State.HELD, Reason.THROTTLED, next_attempt_at=due_in(seconds))


def for_pause(delivery_id: UUID, seconds: float) -> int:
    """Like :func:`for_paused` for one delivery, which a worker may claim a moment before it is due."""
    row = Delivery.objects.filter(id=delivery_id, state__in=list(WAITING), next_attempt_at__lte=due_in(EARLY))
    return change(row, State.HELD, Reason.THROTTLED, next_attempt_at=due_in(seconds))


def let_throttled_go(system_id: UUID) -> int:
    """Staff end the pause that a system asked for: make due what was held for it; returns how many."""
    held = Delivery.objects.filter(system_id=system_id, state=State.HELD, state_reason=Reason.THROTTLED)
    return update_all(held.filter(next_attempt_at__gt=Now()), next_attempt_at=Now())


def let_limited_go(system_id: UUID) -> int:
    """The system's rate has changed: deliveries held for a token become due again; returns how many."""
    limited = Delivery.objects.filter(system_id=system_id, state=State.HELD, state_reason=Reason.RATE_LIMITED)
    return update_all(limited.filter(next_attempt_at__gt=Now()), next_attempt_at=Now())


def let_mended_go(system_id: UUID, *, before: datetime | None = None) -> int:
    """A fault of ours is mended: make due what waits because of it; returns how many.

    Arguments:
        before: only deliveries that failed earlier than this and have few tries; ``None``: all.
    """
    waiting = _at_fault(system_id)
    if before is not None:
        later = Attempt.objects.filter(delivery=OuterRef("pk"), started_at__gte=before)
        waiting = waiting.filter(~Exists(later), attempt_count__lt=MOST_MENDED_TRIES)
    return update_all(waiting.filter(next_attempt_at__gt=Now()), next_attempt_at=Now())


def try_one_at_fault(system_id: UUID) -> None:
    """Make due the most urgent delivery that waits because of a fault of ours, to learn whether that is mended."""
    row = _at_fault(system_id).order_by("precedence", "next_attempt_at").values_list("id", flat=True).first()
    if row is not None:
        _at_fault(system_id).filter(id=row).update(next_attempt_at=Now())


def _at_fault(system_id: UUID) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        system_id=system_id, state=State.SCHEDULED, state_reason=Reason.OUR_FAULT, expires_at__gt=Now()
    )


def for_probe(delivery_id: UUID) -> int:
    """Hold one delivery while others probe; one that is held already keeps its state and time."""
    waiting = Delivery.objects.filter(id=delivery_id, state__in=list(WAITING), next_attempt_at__lte=Now())
    probing = waiting.exclude(state=State.HELD, state_reason=Reason.BREAKER_OPEN)
    return change(probing, State.HELD, Reason.BREAKER_OPEN)


def for_rate(delivery_id: UUID, seconds: float) -> Priority | None:
    """Hold one delivery until the bucket's next token, unless one at least as urgent already waits for it.

    Only the head of the queue has a time: the others stay due behind it, and a worker that finishes a call claims the
    next one. Returns the delivery's priority if it is held now.
    """
    row = Delivery.objects.filter(id=delivery_id, state__in=list(WAITING), next_attempt_at__lte=Now())
    head = Delivery.objects.filter(
        Q(state=State.HELD, state_reason=Reason.RATE_LIMITED),
        system_id=OuterRef("system_id"),
        precedence__lte=OuterRef("precedence"),
        next_attempt_at__gt=Now(),
    )
    if not change(row.filter(~Exists(head)), State.HELD, Reason.RATE_LIMITED, next_attempt_at=due_in(seconds)):
        return None
    return Priority(Delivery.objects.values_list("priority", flat=True).get(id=delivery_id))


def next_due(system_id: UUID, *, most: int = LEAST_PRECEDENCE) -> UUID | None:
    """The delivery that would go out next. ``most``: the last precedence that counts."""
    living = _due(system_id).filter(expires_at__gt=Now(), precedence__lte=most)
    return living.order_by("precedence", "next_attempt_at").values_list("id", flat=True).first()
