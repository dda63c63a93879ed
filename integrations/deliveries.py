"""The life of one delivery: claim, ask the breaker, freeze the bytes, call, write down what came of it.

Every step is a conditional write under a lease, so that a task may run twice and a worker may die anywhere; times are
compared with PostgreSQL's clock only (docs/adr/0004). No database connection is held during the outside call.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from integrations import breaker, retry
from integrations.breaker import Verdict
from integrations.errors import CredentialsRefused, DeliveryError, OurFault, Permanent, TargetGone, Transient
from integrations.models import Attempt, Delivery, System
from integrations.outbound import Request, Response, send
from integrations.states import WAITING, Outcome, State, sources_of
from integrations.targets import Sender, sender_for
from wedsync.env import ConfigurationError
from wedsync.queues import Priority

log = structlog.get_logger(__name__)
EARLY = timedelta(milliseconds=500)  # a retry's message may arrive this much before its row is due


class TryAgain(Exception):
    """The row is scheduled; Celery carries the wait because it is short. ``delay``: seconds."""

    def __init__(self, delay: float) -> None:
        super().__init__(f"try again in {delay:.1f} s")
        self.delay = delay


@dataclass(frozen=True)
class Lease:
    """A claimed delivery, and the token without which nothing more is written to it."""

    delivery: Delivery
    token: UUID


@dataclass(frozen=True)
class Result:
    """What came of one call."""

    started_at: datetime
    milliseconds: int
    response: Response | None
    provider_id: str
    error: DeliveryError | None


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
    permit = breaker.ask(lease.delivery.system_id)
    if not permit.granted:
        _release(lease, State.HELD, "breaker_open", delay=permit.wait)
        return
    sender = sender_for(lease.delivery.channel)
    result = _attempt(lease, sender)
    if result is None:
        return
    verdict = _verdict(result)
    breaker.tell(
        lease.delivery.system_id,
        permit,
        verdict,
        delivery_id=lease.delivery.id,
        alone=verdict == Verdict.FAILED and _is_alone(lease.delivery),
    )
    _finish(lease, sender, result)


def claim(delivery_id: UUID) -> Lease | None:
    """Take a due delivery for this worker, in one conditional write. What has expired is left to the sweep."""
    token = uuid4()
    taken = Delivery.objects.filter(
        id=delivery_id, state__in=list(WAITING), next_attempt_at__lte=Now() + EARLY, expires_at__gt=Now()
    ).update(
        state=State.IN_FLIGHT,
        lease_token=token,
        lease_until=Now() + timedelta(seconds=settings.LEASE_SECONDS),
        state_reason="",
    )
    if not taken:
        return None
    delivery = Delivery.objects.select_related("system", "event__wedding", "contact__wedding").get(id=delivery_id)
    return Lease(delivery, token)


def _stopped(lease: Lease) -> bool:
    """Whether the delivery must not go out, because its system does not take any."""
    delivery = lease.delivery
    if delivery.system.state == System.Status.DISABLED:
        _release(lease, State.DEAD, "system_disabled")
    elif delivery.system.state == System.Status.PAUSED:
        _release(lease, State.HELD, "system_paused", until=delivery.expires_at)
    else:
        return False
    return True


def _attempt(lease: Lease, sender: Sender) -> Result | None:
    """Make one call; ``None`` when the lease was lost before it began."""
    delivery = lease.delivery
    started_at, started = timezone.now(), time.monotonic()
    request: Request | None = None
    response: Response | None = None
    provider_id, failure = "", None
    try:
        request = Request.from_json(delivery.request) if delivery.request else sender.render(delivery)
        if not _begin(lease, request):
            return None
        call = sender.prepare(delivery, request)
        connection.close()
        response = send(call, deadline=_deadline(delivery))
        provider_id = sender.judge(response)
    except DeliveryError as error:
        failure = error
    except ConfigurationError as error:
        failure = OurFault(str(error))
    except Exception as error:
        log.exception("delivery_failed_by_us", delivery=str(delivery.id))
        failure = OurFault(f"{type(error).__name__} in our own code; the log has the trace")
    if request is None and not _begin(lease, None):
        return None
    return Result(started_at, int((time.monotonic() - started) * 1000), response, provider_id, failure)


def _begin(lease: Lease, request: Request | None) -> bool:
    """Count the attempt and keep its bytes, so that every retry sends the same; false when the lease was lost."""
    delivery = lease.delivery
    delivery.attempt_count += 1
    delivery.request = request.as_json() if request else None
    return bool(_leased(lease).update(request=delivery.request, attempt_count=delivery.attempt_count))


def _deadline(delivery: Delivery) -> float:
    urgent = delivery.priority == Priority.URGENT
    return settings.URGENT_DEADLINE_SECONDS if urgent else settings.CALL_DEADLINE_SECONDS


def _leased(lease: Lease) -> QuerySet[Delivery]:
    """The one row, or none once the lease is lost."""
    return Delivery.objects.filter(id=lease.delivery.id, lease_token=lease.token, state=State.IN_FLIGHT)


def _release(
    lease: Lease, state: State, reason: str = "", *, delay: float = 0.0, until: datetime | None = None
) -> bool:
    """Give the delivery back in another state; false when the lease was lost, and then nothing is written."""
    finished = state not in WAITING
    return bool(
        _leased(lease)
        .filter(state__in=sources_of(state))
        .update(
            state=state,
            state_reason=reason,
            lease_token=None,
            lease_until=None,
            next_attempt_at=until or Now() + timedelta(seconds=delay),
            finished_at=Now() if finished else None,
        )
    )


def _verdict(result: Result) -> Verdict:
    if result.error is None:
        return Verdict.ALIVE
    return Verdict.FAILED if result.error.counts_for_breaker else Verdict.NEUTRAL


def _is_alone(delivery: Delivery) -> bool:
    """Whether nothing else waits for the same system."""
    others = Delivery.objects.filter(system_id=delivery.system_id, state__in=[*WAITING, State.IN_FLIGHT])
    return not others.exclude(id=delivery.id).exists()


def _finish(lease: Lease, sender: Sender, result: Result) -> None:
    """Write the attempt and the next state in one commit."""
    delivery, error = lease.delivery, result.error
    delay = None
    with transaction.atomic():
        if error is None:
            written = _release(lease, State.SUCCEEDED)
        elif isinstance(error, Transient):
            delay = retry.next_delay(schedule(), delivery.attempt_count, retry_after=error.retry_after)
            written = _release(lease, State.SCHEDULED, type(error).__name__, delay=delay)
            _mark(delivery, error, sender)
        else:
            written = _give_up(lease, error)
        if written:
            _record(delivery, result)
        if written and error is None:
            sender.accepted(delivery, result.provider_id)
    log.info(
        "delivery_attempted",
        delivery=str(delivery.id),
        channel=delivery.channel,
        attempt=delivery.attempt_count,
        outcome="succeeded" if error is None else type(error).__name__,
        milliseconds=result.milliseconds,
        lease_lost=not written,
    )
    if written and delay is not None and schedule().is_quick(delivery.attempt_count, delay):
        raise TryAgain(delay)


def _mark(delivery: Delivery, error: DeliveryError, sender: Sender) -> None:
    """Say that the next try may arrive as a second one, where the other side knows no idempotency key."""
    if error.outcome == Outcome.UNKNOWN and sender.resends_marked:
        Delivery.objects.filter(id=delivery.id).update(may_duplicate=True)


def _give_up(lease: Lease, error: DeliveryError) -> bool:
    """What is not transient: dead at once, or held until staff have mended the system."""
    system = lease.delivery.system
    if isinstance(error, CredentialsRefused):
        _set_system_state(system, System.Status.PAUSED, "credentials_refused")
        return _release(lease, State.HELD, "system_paused", until=lease.delivery.expires_at)
    if isinstance(error, TargetGone):
        _set_system_state(system, System.Status.DISABLED, "target_gone")
        return _release(lease, State.DEAD, "target_gone")
    if isinstance(error, OurFault):
        delay = retry.next_delay(schedule(), len(settings.RETRY_QUICK_SECONDS) + 1)
        return _release(lease, State.SCHEDULED, "our_fault", delay=delay)
    reason = error.__class__.__name__ if not isinstance(error, Permanent) else f"refused_{error.status_code or ''}"
    return _release(lease, State.DEAD, reason.rstrip("_"))


def _set_system_state(system: System, state: System.Status, reason: str) -> None:
    changed = System.objects.filter(id=system.id, state=System.Status.ACTIVE).update(state=state, state_reason=reason)
    if changed:
        log.error("system_stopped", system=str(system.id), state=state.value, reason=reason)


def _record(delivery: Delivery, result: Result) -> None:
    error, response = result.error, result.response
    Attempt.objects.create(
        delivery=delivery,
        number=delivery.attempt_count,
        started_at=result.started_at,
        milliseconds=result.milliseconds,
        outcome=error.outcome if error else Outcome.SUCCEEDED,
        status_code=response.status if response else None,
        error_class=type(error).__name__ if error else "",
        error=str(error)[:500] if error else "",
        response_excerpt=response.excerpt if response else "",
    )


def resume(system: System) -> int:
    """Let a paused or disabled system take deliveries again; returns how many held ones are due now."""
    System.objects.filter(id=system.id).update(state=System.Status.ACTIVE, state_reason="")
    return Delivery.objects.filter(
        system_id=system.id, state=State.HELD, state_reason="system_paused", expires_at__gt=Now()
    ).update(next_attempt_at=Now())
