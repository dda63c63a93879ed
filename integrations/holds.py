"""Deliveries that wait because their target takes no more: ``held``, with the reason and until when.

What is held costs no attempt and wakes nobody before its time.
"""

from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from integrations.models import Delivery
from integrations.moves import due_in, move
from integrations.states import WAITING, Reason, State
from wedsync.queues import Priority


def _due(system_id: UUID) -> QuerySet[Delivery]:
    return Delivery.objects.filter(system_id=system_id, state__in=list(WAITING), next_attempt_at__lte=Now())


def for_open_breaker(system_id: UUID, seconds: float) -> int:
    """Hold all that is due for a system until its breaker may be probed, in one write.

    What somebody else is writing is left to them: many threads are refused at once, and were they to wait for each
    other's rows, each with a connection that other targets need, some would wait in a circle.
    """
    with transaction.atomic():
        free = Delivery.objects.filter(id__in=_due(system_id).select_for_update(skip_locked=True).values("id"))
        return move(free, State.HELD, Reason.BREAKER_OPEN, next_attempt_at=due_in(seconds))


def for_probe(delivery_id: UUID) -> int:
    """Hold one delivery while others probe; what is held already stays as it is, and so does its time."""
    waiting = Delivery.objects.filter(id=delivery_id, state__in=list(WAITING), next_attempt_at__lte=Now())
    probing = waiting.exclude(state=State.HELD, state_reason=Reason.BREAKER_OPEN)
    return move(probing, State.HELD, Reason.BREAKER_OPEN)


def for_rate(delivery_id: UUID, seconds: float) -> Priority | None:
    """Hold one delivery until the bucket's next token, unless one as urgent waits for it already.

    Only the head of the queue has a time: the others stay due behind it, and whoever finishes a call takes the next.
    Returns the delivery's priority where it is held now.
    """
    row = Delivery.objects.filter(id=delivery_id, state__in=list(WAITING), next_attempt_at__lte=Now())
    head = Delivery.objects.filter(
        Q(state=State.HELD, state_reason=Reason.RATE_LIMITED),
        system_id=OuterRef("system_id"),
        precedence__lte=OuterRef("precedence"),
        next_attempt_at__gt=Now(),
    )
    if not move(row.filter(~Exists(head)), State.HELD, Reason.RATE_LIMITED, next_attempt_at=due_in(seconds)):
        return None
    return Priority(Delivery.objects.values_list("priority", flat=True).get(id=delivery_id))


def next_due(system_id: UUID) -> UUID | None:
    """The delivery that would go out next."""
    return _due(system_id).order_by("precedence", "next_attempt_at").values_list("id", flat=True).first()
