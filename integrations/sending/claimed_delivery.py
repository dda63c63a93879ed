"""The life of one claimed delivery: the checks before it is sent, the attempt, and what follows.

Every step is a conditional write under a lease, so a task may run twice and a worker may die anywhere; times are
compared with PostgreSQL's clock only (docs/adr/0004).
"""

import time
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from integrations.credentials.excerpts import for_row
from integrations.deliveries import holds, ordering, staff_actions, state_changes
from integrations.deliveries.claims import Lease
from integrations.deliveries.state_changes import Ended, Ending, change_unlocked
from integrations.errors import CredentialsRefused, DeliveryError, OurFault, TargetGone, Throttled, Transient
from integrations.models import Delivery, System
from integrations.outbound import Response
from integrations.registry import followers, senders
from integrations.registry.senders import Sender, sender_for
from integrations.rules import retry
from integrations.sending.attempts import Result, attempt
from integrations.states import WAITING, Outcome, Reason, State
from integrations.systems import lifecycle
from wedsync.database.errors import POSTGRES_AWAY
from wedsync.queues import Priority

log = structlog.get_logger(__name__)
EXCERPT = ERROR = 500  # characters
RECORDING_DEADLINE = 5.0  # seconds to record the result of a call while PostgreSQL restarts
ENDING_PAUSE = 0.2


@dataclass(frozen=True)
class SendResult:
    """The result of working on a claimed delivery.

    Arguments:
        result: of the call; ``None`` if none was made.
        quick_retry: seconds until the next try, if that is soon enough to wait in a worker's memory.
        next_precedence: of the next delivery due for the same system; ``None``: none is due.
    """

    result: Result | None = None
    quick_retry: float | None = None
    next_precedence: int | None = None


NOT_SENT = SendResult()


def schedule() -> retry.Schedule:
    """The configured retry schedule."""
    return retry.Schedule(settings.RETRY_QUICK_SECONDS, settings.RETRY_DURABLE_SECONDS)


def work(lease: Lease) -> SendResult:
    """Send a claimed delivery, unless its system is stopped, it is not its turn, or it has already arrived.

    Raises:
        OperationalError, InterfaceError: PostgreSQL is away; the lease ends by itself.
    """
    if _stopped(lease) or (lease.delivery.order_key and not ordering.take_turn(lease)):
        return NOT_SENT
    sender = sender_for(lease.delivery.channel)
    if _confirmed(lease, sender) or _hindered(lease, sender) or _outdated(lease, sender):
        return NOT_SENT
    result = attempt(lease, sender)
    return NOT_SENT if result is None else _finish(lease, sender, result)


def _stopped(lease: Lease) -> bool:
    """Whether the system is stopped; then all other due deliveries to it are ended or held too."""
    due = Delivery.objects.filter(
        system_id=lease.delivery.system_id, state__in=list(WAITING), next_attempt_at__lte=Now()
    )
    if lease.system_state == System.Status.DISABLED:
        state_changes.release(lease.row, State.DEAD, Reason.SYSTEM_DISABLED)
        change_unlocked(due, State.DEAD, Reason.SYSTEM_DISABLED)
    elif lease.system_state == System.Status.PAUSED:
        until = lifecycle.HELD_BY_PAUSE
        state_changes.release(lease.row, State.HELD, Reason.SYSTEM_PAUSED, next_attempt_at=until)
        change_unlocked(due.filter(expires_at__gt=Now()), State.HELD, Reason.SYSTEM_PAUSED, next_attempt_at=until)
    else:
        return False
    return True


def _confirmed(lease: Lease, sender: Sender) -> bool:
    """Whether the provider has since confirmed an earlier try whose answer we did not see."""
    delivery = lease.delivery
    if not delivery.may_duplicate or sender.status_wait(delivery) is None:
        return False
    provider_id = senders.confirmation(delivery)
    if provider_id is None:
        return False
    if state_changes.release(lease.row, State.SUCCEEDED, Reason.NONE, may_duplicate=False):
        _announce_success(sender, delivery, provider_id)
        log.info("delivery_confirmed", delivery=str(delivery.id), channel=delivery.channel)
    return True


def _hindered(lease: Lease, sender: Sender) -> bool:
    """Whether the delivery must not be sent now: things may have changed since it was made."""
    found = sender.blocked(lease.delivery)
    if found is None:
        return False
    if found.until:
        fresh = found.order_key and not lease.delivery.order_key
        order = {"order_key": found.order_key, "sets": list(found.sets)} if fresh else {}
        state_changes.release(lease.row, State.HELD, found.reason, next_attempt_at=found.until, **order)
    else:
        state_changes.release(lease.row, State.SKIPPED, found.reason)
    ordering.end_turn([lease.delivery])
    followers.announce_trouble(lease.delivery)
    return True


def _outdated(lease: Lease, sender: Sender) -> bool:
    """Whether the frozen bytes must no longer go out under their key; if so, the next generation replaces them."""
    delivery = lease.delivery
    because = sender.outdated(delivery) if delivery.request is not None else ""
    if not because:
        return False
    duplicate = delivery.may_duplicate or delivery.attempts.filter(outcome=Outcome.UNKNOWN).exists()
    with transaction.atomic():
        if state_changes.release(lease.row, State.CANCELLED, Reason.SUPERSEDED, may_duplicate=duplicate):
            sender.replaced(staff_actions.replace(delivery, may_duplicate=duplicate), because)
            log.info("delivery_replaced", delivery=str(delivery.id), because=because, may_duplicate=duplicate)
    ordering.end_turn([delivery])
    return True


def _finish(lease: Lease, sender: Sender, result: Result) -> SendResult:
    """Write the attempt and the next state in one commit; nothing if the lease was lost."""
    delivery, error = lease.delivery, result.error
    ending = _ending(delivery, sender, result)
    ended = _end(lease, ending)
    if ended.written:
        _after(delivery, sender, result, ending)
    log.info(
        "delivery_attempted",
        delivery=str(delivery.id),
        channel=delivery.channel,
        attempt=delivery.attempt_count,
        outcome=error.reason if error else Outcome.SUCCEEDED,
        milliseconds=result.milliseconds,
        lease_lost=not ended.written,
    )
    soon = ended.written and ending.to == State.SCHEDULED and ending.due_in is not None
    quick = soon and schedule().is_quick(delivery.attempt_count, ending.due_in or 0)
    return SendResult(result, ending.due_in if quick else None, ended.next_precedence)


def _end(lease: Lease, ending: Ending) -> Ended:
    """Record the attempt, even across a restart of PostgreSQL: the call was made and must not be repeated."""
    gives_up = time.monotonic() + RECORDING_DEADLINE
    while True:
        try:
            return state_changes.record_attempt(lease.delivery, lease.token, ending)
        except POSTGRES_AWAY:
            connection.close()
            if time.monotonic() > gives_up:
                raise
            time.sleep(ENDING_PAUSE)


def _after(delivery: Delivery, sender: Sender, result: Result, ending: Ending) -> None:
    """Act on a result that has been recorded."""
    error = result.error
    if error is None:
        _announce_success(sender, delivery, result.provider_id, result.response)
    else:
        _announce_failure(sender, delivery, error)
    if isinstance(error, CredentialsRefused):
        lifecycle.stop_system(delivery.system, System.Status.PAUSED, error.reason)
    elif isinstance(error, TargetGone):
        lifecycle.stop_system(delivery.system, System.Status.DISABLED, error.reason)
    elif isinstance(error, Throttled) and error.whole_target and ending.due_in is not None:
        holds.for_throttled(delivery.system_id, ending.due_in)
    ordering.end_turn([delivery])
    if ending.to == State.DEAD or (error and delivery.priority == Priority.URGENT):
        followers.announce_trouble(delivery)


def _announce_failure(sender: Sender, delivery: Delivery, error: DeliveryError) -> None:
    """Tell the sender of a failure; an error in doing so leaves the recorded attempt as it is."""
    try:
        sender.failed(delivery, error)
    except Exception:
        log.exception("failure_not_noted", delivery=str(delivery.id))


def _announce_success(sender: Sender, delivery: Delivery, provider_id: str, response: Response | None = None) -> None:
    """Tell the sender of a success; an error in doing so must not cause the delivery to be sent again."""
    try:
        sender.accepted(delivery, provider_id)
        if response is not None:
            sender.answered(delivery, response)
    except Exception:
        log.exception("acceptance_not_noted", delivery=str(delivery.id))


def _ending(delivery: Delivery, sender: Sender, result: Result) -> Ending:
    error, response = result.error, result.response
    to, reason, due_in = State.SUCCEEDED, Reason.NONE, None
    if error is not None:
        to, reason, due_in = _following(delivery, sender, error)
    return Ending(
        to=to,
        reason=reason,
        due_in=due_in,
        # If the other side supports no idempotency key, the next try may arrive as a second message.
        may_duplicate=result.outcome == Outcome.UNKNOWN and sender.may_duplicate_on_retry(delivery),
        started_at=result.started_at,
        milliseconds=result.milliseconds,
        outcome=result.outcome,
        status_code=response.status if response else None,
        error_class=type(error).__name__ if error else "",
        error=str(error)[:ERROR] if error else "",
        response_excerpt=for_row(response.text, result.secrets, EXCERPT) if response else "",
    )


def _following(delivery: Delivery, sender: Sender, error: DeliveryError) -> tuple[State, Reason, float | None]:
    """The next state, the reason, and the seconds until the delivery is due again."""
    if isinstance(error, CredentialsRefused):
        return State.HELD, Reason.SYSTEM_PAUSED, None
    if error.outcome == Outcome.UNKNOWN:
        return after_unknown(delivery, sender, error.reason)
    if isinstance(error, OurFault):  # waits for us to mend it, so it skips the quick steps
        number = max(delivery.attempt_count, len(settings.RETRY_QUICK_SECONDS) + 1)
        return State.SCHEDULED, error.reason, retry.next_delay(schedule(), number)
    if isinstance(error, Transient):
        delay = retry.next_delay(schedule(), delivery.attempt_count, retry_after=error.retry_after)
        return State.SCHEDULED, error.reason, delay
    return State.DEAD, error.reason, None


def after_unknown(delivery: Delivery, sender: Sender, reason: Reason) -> tuple[State, Reason, float]:
    """What follows an unknown outcome: the next state, the reason, and the seconds until the delivery is due again.

    Under an idempotency key it is simply tried again. If the provider supports none, it is tried once more soon,
    marked; if a status may still confirm it, we wait for that first. A second unknown outcome waits for the durable
    steps.
    """
    number = max(delivery.attempt_count, 1)
    again = sender.may_duplicate_on_retry(delivery) and _unknown_before(delivery)
    wait = sender.status_wait(delivery)
    if not again and wait is not None:
        return State.HELD, Reason.AWAITS_STATUS, wait
    durable = len(settings.RETRY_QUICK_SECONDS) + 1
    return State.SCHEDULED, reason, retry.next_delay(schedule(), max(number, durable) if again else number)


def _unknown_before(delivery: Delivery) -> bool:
    earlier = delivery.attempts.filter(outcome=Outcome.UNKNOWN, number__lt=delivery.attempt_count)
    return delivery.may_duplicate and earlier.exists()
