"""The life of one delivery: claim, ask the breaker, make the attempt, write down what came of it.

Every step is a conditional write under a lease, so that a task may run twice and a worker may die anywhere; times are
compared with PostgreSQL's clock only (docs/adr/0004).
"""

from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from integrations import admission, breakers, retry, standing
from integrations.admission import Change, Permit, Refusal, Verdict
from integrations.attempts import Lease, Result, attempt, record
from integrations.errors import CredentialsRefused, DeliveryError, OurFault, TargetGone, Transient
from integrations.models import Delivery, System
from integrations.moves import due_in, move
from integrations.states import WAITING, Outcome, Reason, State
from integrations.targets import Sender, sender_for
from wedsync.ids import new_id
from wedsync.queues import Priority

log = structlog.get_logger(__name__)
FULL_WAIT = 0.5  # seconds, where as many calls are in flight as the target takes
EARLY = timedelta(milliseconds=500)  # a retry's message may arrive this much before its row is due


class TryAgain(Exception):
    """The row is scheduled; Celery carries the wait because it is short. ``delay``: seconds."""

    def __init__(self, delay: float) -> None:
        super().__init__(f"try again in {delay:.1f} s")
        self.delay = delay


def schedule() -> retry.Schedule:
    """The retry schedule in force."""
    return retry.Schedule(settings.RETRY_QUICK_SECONDS, settings.RETRY_DURABLE_SECONDS)


def deliver(delivery_id: UUID) -> None:
    """Try a delivery that is due. Does nothing when it is not due, finished, or in another worker's hands.

    Raises:
        TryAgain: failed, and the next try is only seconds away.
    """
    lease = claim(delivery_id)
    if lease is None or _stopped(lease):
        return
    lane = admission.lane_of(lease.delivery.system)
    permit = admission.ask(lane, urgent=lease.delivery.priority == Priority.URGENT)
    if not permit.granted:
        _hold(lease, permit)
        return
    sender = sender_for(lease.delivery.channel)
    result = attempt(lease, sender)
    if result is None:
        admission.give_back(lane, permit)
        return
    verdict = _verdict(result)
    alone = (verdict == Verdict.FAILED or permit.probe) and _is_alone(lease.delivery)
    change = admission.tell(lane, permit, verdict, delivery_id=lease.delivery.id, alone=alone)
    breakers.record_change(lease.delivery.system, change)
    if change == Change.CLOSED:
        breakers.let_go(lease.delivery.system)
    _finish(lease, sender, result)


def _hold(lease: Lease, permit: Permit) -> None:
    """Wait for the breaker, or for a slot or a token of the target, without using up an attempt."""
    wait = permit.wait if permit.why != Refusal.AT_CAPACITY else FULL_WAIT
    move(lease.row, State.HELD, Reason.BREAKER_OPEN, next_attempt_at=due_in(wait))


def claim(delivery_id: UUID) -> Lease | None:
    """Take a due delivery for this worker, in one conditional write. What has expired is left to the sweep."""
    token = new_id()
    due = Delivery.objects.filter(id=delivery_id, next_attempt_at__lte=Now() + EARLY, expires_at__gt=Now())
    if not move(due, State.IN_FLIGHT, lease_token=token, lease_until=due_in(settings.LEASE_SECONDS)):
        return None
    delivery = Delivery.objects.select_related("system", "event__wedding", "contact__wedding").get(id=delivery_id)
    return Lease(delivery, token)


def _stopped(lease: Lease) -> bool:
    """Whether the delivery must not go out, because its system does not take any."""
    state = lease.delivery.system.state
    if state == System.Status.DISABLED:
        move(lease.row, State.DEAD, Reason.SYSTEM_DISABLED)
    elif state == System.Status.PAUSED:
        _hold_for_staff(lease)
    else:
        return False
    return True


def _hold_for_staff(lease: Lease) -> bool:
    """Hold until staff resume the system; :func:`standing.resume_system` makes it due."""
    return bool(move(lease.row, State.HELD, Reason.SYSTEM_PAUSED, next_attempt_at=lease.delivery.expires_at))


def _verdict(result: Result) -> Verdict:
    if result.error is None:
        return Verdict.ALIVE
    return Verdict.FAILED if result.error.counts_for_breaker else Verdict.NEUTRAL


def _is_alone(delivery: Delivery) -> bool:
    """Whether nothing else waits for the same system."""
    others = Delivery.objects.filter(system_id=delivery.system_id, state__in=[*WAITING, State.IN_FLIGHT])
    return not others.exclude(id=delivery.id).exists()


def _finish(lease: Lease, sender: Sender, result: Result) -> None:
    """Write the attempt and the next state in one commit; nothing where the lease was lost.

    Raises:
        TryAgain: the wait is short enough for a worker's memory.
    """
    delivery, error = lease.delivery, result.error
    delay = _delay(delivery, error)
    with transaction.atomic():
        written = _move_on(lease, sender, error, delay)
        if written:
            record(delivery, result)
    if written and error is None:
        _tell_sender(sender, delivery, result.provider_id)
    log.info(
        "delivery_attempted",
        delivery=str(delivery.id),
        channel=delivery.channel,
        attempt=delivery.attempt_count,
        outcome=error.reason if error else Outcome.SUCCEEDED,
        milliseconds=result.milliseconds,
        lease_lost=not written,
    )
    if written and isinstance(error, Transient) and schedule().is_quick(delivery.attempt_count, delay):
        raise TryAgain(delay)


def _tell_sender(sender: Sender, delivery: Delivery, provider_id: str) -> None:
    """What was taken stays taken, whatever goes wrong in noting more about it: it must not be sent again."""
    try:
        sender.accepted(delivery, provider_id)
    except Exception:
        log.exception("acceptance_not_noted", delivery=str(delivery.id))


def _delay(delivery: Delivery, error: DeliveryError | None) -> float:
    """Seconds to the next attempt. What is our own fault waits for us, so it skips the quick steps."""
    if isinstance(error, OurFault):
        return retry.next_delay(schedule(), max(delivery.attempt_count, len(settings.RETRY_QUICK_SECONDS) + 1))
    asked = error.retry_after if isinstance(error, Transient) else None
    return retry.next_delay(schedule(), delivery.attempt_count, retry_after=asked)


def _move_on(lease: Lease, sender: Sender, error: DeliveryError | None, delay: float) -> bool:
    if error is None:
        return bool(move(lease.row, State.SUCCEEDED))
    if isinstance(error, CredentialsRefused):
        standing.stop_system(lease.delivery.system, System.Status.PAUSED, error.reason)
        return _hold_for_staff(lease)
    if isinstance(error, TargetGone):
        standing.stop_system(lease.delivery.system, System.Status.DISABLED, error.reason)
    if isinstance(error, Transient | OurFault):
        # Where the other side knows no idempotency key, the next try may arrive as a second message.
        marked = sender.resends_marked and error.outcome == Outcome.UNKNOWN
        may_duplicate = lease.delivery.may_duplicate or marked
        due = due_in(delay)
        return bool(move(lease.row, State.SCHEDULED, error.reason, next_attempt_at=due, may_duplicate=may_duplicate))
    return bool(move(lease.row, State.DEAD, error.reason))
