"""Reclaiming deliveries from workers that died. Whether their request arrived is unknown."""

from datetime import datetime, timedelta
from functools import partial

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from integrations.deliveries.ordering import end_turn
from integrations.deliveries.state_changes import Ending, record_attempt, release
from integrations.errors import WorkerLost
from integrations.models import Delivery
from integrations.registry import followers
from integrations.registry.senders import sender_for
from integrations.rules import deadlines
from integrations.sending.claimed_delivery import after_unknown, schedule
from integrations.states import Outcome, Reason, State
from wedsync import correlation
from wedsync.database.errors import POSTGRES_AWAY
from wedsync.live.fan_out import hints
from wedsync.queues import Priority

log = structlog.get_logger(__name__)
BATCH = 200


def end_leases() -> int:
    """End the leases that have run out; returns how many."""
    with transaction.atomic():
        lost = list(
            Delivery.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(state=State.IN_FLIGHT, lease_until__lt=Now())
            .select_related("event")[:BATCH]
        )
        for delivery in lost:
            with correlation.of(delivery.event.correlation_id):
                _end_or_log(delivery)
    return len(lost)


def _end_or_log(delivery: Delivery) -> None:
    """One bad row must not stop the sweep for all others."""
    try:
        with transaction.atomic():
            _end_lease(delivery)
    except POSTGRES_AWAY:
        raise
    except Exception:
        log.exception("lease_not_ended", delivery=str(delivery.id))


def _end_lease(delivery: Delivery) -> None:
    token = delivery.lease_token
    assert token is not None  # noqa: S101  (a constraint: whatever is in flight has one)
    row = Delivery.objects.filter(id=delivery.id, lease_token=token)
    began = delivery.request is not None
    if not began:
        release(row, State.SCHEDULED, Reason.WORKER_LOST, next_attempt_at=Now())
        _wake_for(delivery, 0.0)
    else:
        sender = sender_for(delivery.channel)
        to, reason, seconds = after_unknown(delivery, sender, Reason.WORKER_LOST)
        if to == State.SCHEDULED and delivery.priority == Priority.URGENT and delivery.attempt_count <= 1:
            seconds = 0.0  # the lease was a long enough pause; if a second worker dies, the next try waits
        ending = Ending(
            to=to,
            reason=reason,
            due_in=seconds,
            may_duplicate=sender.may_duplicate_on_retry(delivery),
            started_at=_lease_began(delivery),
            milliseconds=int(deadlines.lease(delivery.priority) * 1000),
            outcome=Outcome.UNKNOWN,
            error_class=WorkerLost.__name__,
            error="the worker died during the attempt",
        )
        record_attempt(delivery, token, ending)
        if to == State.SCHEDULED:
            _wake_for(delivery, seconds)
        if delivery.priority == Priority.URGENT:
            # Its plan continues with the next channel instead of waiting for this one.
            transaction.on_commit(correlation.kept(partial(followers.announce_trouble, delivery)))
    end_turn([delivery])
    log.warning("lease_ended", delivery=str(delivery.id), began=began)


def _wake_for(delivery: Delivery, seconds: float) -> None:
    """Send a message for a quick retry, as after any other attempt: the earlier message is lost."""
    tried = min(delivery.attempt_count, len(settings.RETRY_QUICK_SECONDS))
    if schedule().is_quick(max(delivery.attempt_count, 1), seconds):
        hints.delivery_due(delivery.id, delivery.priority, delivery.system_id, quick_attempts=tried, countdown=seconds)


def _lease_began(delivery: Delivery) -> datetime:
    until = delivery.lease_until or timezone.now()
    return until - timedelta(seconds=deadlines.lease(delivery.priority))
