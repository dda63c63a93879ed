"""The sweep: finds from the rows whatever a lost hint, a dead worker or an emptied Redis left behind (docs/adr/0001).

Any number of sweeps may run: each takes rows with ``SKIP LOCKED`` and marks them before it hints, so that two never
hint the same row and a long queue is not filled with repetitions.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from integrations import retry
from integrations.deliveries import schedule
from integrations.late_linking import LateLinking
from integrations.models import Attempt, Connection, Delivery, System
from integrations.moves import due_in, move
from integrations.states import WAITING, Outcome, Reason, State
from integrations.targets import sender_for
from wedsync.live import hints
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority

log = structlog.get_logger(__name__)
BATCH = 200
FULL_QUEUE = 2 * BATCH
_late_linking = LateLinking()  # each process walks through the unlinked events on its own


@dataclass(frozen=True)
class Found:
    """What one sweep set going again."""

    events: int
    deliveries: int
    leases: int
    expired: int
    linked: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.events + self.deliveries + self.leases + self.expired + self.linked


def sweep() -> Found:
    """One round over everything that may have been left behind."""
    release_held()
    return Found(
        leases=end_leases(),
        expired=expire(),
        linked=_late_linking.round(),
        events=hint_events(),
        deliveries=hint_deliveries(),
    )


def release_held() -> None:
    """Let go what was held for a connection or a system that works again; a worker may have raced with the resuming."""
    paused = Connection.objects.filter(state=Connection.Status.PAUSED).values("id")
    held = ChannelEvent.objects.filter(routing=ChannelEvent.Routing.HELD)
    held.exclude(source_connection_id__in=paused).update(routing=ChannelEvent.Routing.PENDING)
    waiting = Delivery.objects.filter(state=State.HELD, state_reason=Reason.SYSTEM_PAUSED, next_attempt_at__gt=Now())
    waiting.filter(system__state=System.Status.ACTIVE).update(next_attempt_at=Now())


def _again() -> timedelta:
    return timedelta(seconds=settings.SWEEP_AGAIN_SECONDS)


def _open_queues() -> list[str]:
    """The queues that are not full already: more messages for the same rows would make a slow queue slower."""
    return [priority for priority in Priority.values if hints.queue_length(priority) < FULL_QUEUE]


def hint_events() -> int:
    """Hint events that nobody routed; first those that were never hinted, so that none starves the others."""
    overdue = timedelta(seconds=settings.SWEEP_OVERDUE_SECONDS)
    with transaction.atomic():
        events = list(
            ChannelEvent.objects.select_for_update(skip_locked=True)
            .filter(routing=ChannelEvent.Routing.PENDING, received_at__lt=Now() - overdue, priority__in=_open_queues())
            .filter(Q(hinted_at=None) | Q(hinted_at__lt=Now() - _again()))
            .order_by(F("hinted_at").asc(nulls_first=True), "id")[:BATCH]
        )
        ChannelEvent.objects.filter(id__in=[event.id for event in events]).update(hinted_at=Now())
    for event in events:
        hints.event_stored(event, ())
    return len(events)


def hint_deliveries() -> int:
    """Hint deliveries that are due: at once where no message carries them, after 3 s where one should have."""
    overdue = timedelta(seconds=settings.SWEEP_OVERDUE_SECONDS)
    quick = len(settings.RETRY_QUICK_SECONDS)
    unaccompanied = Q(state=State.HELD) | Q(attempt_count__gt=quick)
    with transaction.atomic():
        due = list(
            Delivery.objects.select_for_update(skip_locked=True)
            .filter(state__in=list(WAITING), next_attempt_at__lte=Now(), priority__in=_open_queues())
            .filter(unaccompanied | Q(next_attempt_at__lt=Now() - overdue))
            .filter(Q(hinted_at=None) | Q(hinted_at__lt=F("next_attempt_at")) | Q(hinted_at__lt=Now() - _again()))
            .order_by("next_attempt_at")
            .only("id", "priority", "attempt_count")[:BATCH]
        )
        Delivery.objects.filter(id__in=[delivery.id for delivery in due]).update(hinted_at=Now())
    for delivery in due:
        hints.delivery_due(delivery.id, delivery.priority, quick_attempts=min(delivery.attempt_count, quick))
    return len(due)


def end_leases() -> int:
    """Take deliveries back from workers that died. Whether their request arrived is unknown."""
    with transaction.atomic():
        lost = list(
            Delivery.objects.select_for_update(skip_locked=True).filter(state=State.IN_FLIGHT, lease_until__lt=Now())[
                :BATCH
            ]
        )
        for delivery in lost:
            try:
                with transaction.atomic():
                    _end_lease(delivery)
            except OperationalError:
                raise
            except Exception:  # one bad row must not stop the sweep for all others
                log.exception("lease_not_ended", delivery=str(delivery.id))
    return len(lost)


def _end_lease(delivery: Delivery) -> None:
    began = delivery.attempt_count > 0 and not delivery.attempts.filter(number=delivery.attempt_count).exists()
    if began:
        Attempt.objects.create(
            delivery=delivery,
            number=delivery.attempt_count,
            started_at=_lease_began(delivery),
            milliseconds=int(settings.LEASE_SECONDS * 1000),
            outcome=Outcome.UNKNOWN,
            error_class="WorkerLost",
            error="the worker ended in the middle of the attempt",
        )
    marked = began and sender_for(delivery.channel).resends_marked
    move(
        Delivery.objects.filter(id=delivery.id, lease_token=delivery.lease_token),
        State.SCHEDULED,
        Reason.WORKER_LOST,
        next_attempt_at=due_in(retry.next_delay(schedule(), max(delivery.attempt_count, 1))),
        may_duplicate=delivery.may_duplicate or marked,
    )
    log.warning("lease_ended", delivery=str(delivery.id), began=began)


def _lease_began(delivery: Delivery) -> datetime:
    until = delivery.lease_until or timezone.now()
    return until - timedelta(seconds=settings.LEASE_SECONDS)


def expire() -> int:
    """End deliveries that have become pointless; staff see them as dead."""
    return move(Delivery.objects.filter(state__in=list(WAITING), expires_at__lte=Now()), State.DEAD, Reason.EXPIRED)
