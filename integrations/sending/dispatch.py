"""From a message to calls: a worker's thread serves one target while it has work, then receives its next message.

It asks :mod:`integrations.admission` first, so that a delivery that the target cannot accept now costs neither a claim
nor an attempt. A thread that ends a call claims the target's next due delivery, without waiting for a message or a
tick: so a target needs no more messages than it may have calls, and its long queue never blocks another target
(docs/adr/0037).
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from uuid import UUID

import structlog
from django.conf import settings

from integrations import admission
from integrations.admission import CallResult, Lane, Permit, Refusal, breakers
from integrations.admission.call_results import pause_of, result_of
from integrations.deliveries import claims, holds
from integrations.errors import NoRoom
from integrations.models import Delivery, System
from integrations.registry import followers
from integrations.sending import claimed_delivery
from integrations.sending.claimed_delivery import SendResult
from integrations.sending.worker_threads import WorkerThread, recent_refusals, worker_threads
from integrations.states import WAITING, State
from integrations.systems import cache
from wedsync import correlation
from wedsync.live.fan_out import hints
from wedsync.queues import Priority

log = structlog.get_logger(__name__)


PAST_BREAKER = frozenset({Refusal.BREAKER_OPEN, Refusal.PROBING})


class TryAgain(Exception):
    """The row is scheduled; the wait is short enough for Celery to do the waiting. ``delay``: seconds."""

    def __init__(self, delay: float) -> None:
        super().__init__(f"try again in {delay:.1f} s")
        self.delay = delay


def serve(delivery_id: UUID | None, system_id: UUID | None = None, *, urgent: bool = False) -> None:
    """Send the delivery that a message names, and then others due for the same target, for a while.

    Arguments:
        delivery_id: ``None``: send whatever is due for ``system_id``.
        urgent: the message came through the urgent queue; only urgent deliveries are sent, on slots of their own.

    Raises:
        TryAgain: the named delivery failed, and its next try is only seconds away.
    """
    if system_id is None and delivery_id is not None:
        system_id = Delivery.objects.filter(id=delivery_id).values_list("system_id", flat=True).first()
    system = cache.find(system_id) if system_id else None
    if system is None:
        return
    with worker_threads.serve(system.id, exempt=urgent) as thread:
        if thread:
            _Service(system, thread, urgent=urgent).run(delivery_id)


class _Service:
    """One thread's time with one target."""

    def __init__(self, system: System, thread: WorkerThread, *, urgent: bool) -> None:
        self._system = system
        self._thread = thread
        self._lane: Lane = admission.lane_of(system)
        self._urgent = urgent

    def run(self, delivery_id: UUID | None) -> None:
        again: TryAgain | None = None
        wanted, claimed = delivery_id, True
        permit: Permit | None = admission.ask(self._lane, urgent=self._urgent)
        if permit and wanted and permit.why in PAST_BREAKER and holds.is_untried_staff_call(wanted):
            again, wanted = self._past_breaker(wanted), None
        while permit and permit.granted:
            self._thread.next()
            with self._given_back_on_error(permit), ExitStack() as about:
                lease = self._claim(wanted)
                if lease:
                    about.enter_context(correlation.of(lease.delivery.event.correlation_id))
                step = claimed_delivery.work(lease) if lease else None
                wanted = None
                if lease is None or step is None:
                    admission.give_back(self._lane, permit)
                    permit = self._once_more() if claimed else None  # once, if others claim what this thread sees
                    claimed = False
                    continue
                claimed = True
                if step.quick_retry is not None:
                    own = lease.delivery.id == delivery_id
                    again = self._try_again(lease.delivery, step.quick_retry, own=own) or again
                permit = self._after(permit, lease.delivery, step)
        if permit:
            self._refused(permit, wanted)
        if again:
            raise again

    def _past_breaker(self, delivery_id: UUID) -> TryAgain | None:
        """Try a call to staff without a permit. Its result is not told to the breaker, which its own probes judge."""
        lease = claims.claim(delivery_id)
        if lease is None:
            return None
        lease.delivery.system = self._system
        step = claimed_delivery.work(lease)
        return None if step is None or step.quick_retry is None else TryAgain(step.quick_retry)

    def _after(self, permit: Permit, delivery: Delivery, step: SendResult) -> Permit | None:
        """A permit for the next delivery; ``None``: this thread is done here. A message is sent for what it leaves."""
        if step.result is None:
            if not self._thread.is_over():
                return permit
            admission.give_back(self._lane, permit)
            hints.lane_due(self._system.id, Priority(delivery.priority))
            return None
        following, over = self._following(step), self._thread.is_over()
        no_room = isinstance(step.result.error, NoRoom)  # another call from this process would fail too
        going_on = following is not None and not over and not no_room
        permit = self._report(permit, step, delivery, going_on=going_on)
        if going_on or no_room:
            return permit if going_on else None  # the sweep wakes a worker for the rest
        if following is None:
            return self._once_more()
        hints.lane_due(self._system.id, claims.priority_of(following))
        return None

    def _following(self, step: SendResult) -> int | None:
        """The precedence of the next due delivery, if this thread may claim it."""
        following = step.next_precedence
        beyond = self._urgent and following is not None and following > claims.URGENT_PRECEDENCE
        return None if beyond else following

    def _once_more(self) -> Permit | None:
        """A permit for what became due while all slots were in use: threads refused then rely on this one."""
        most = claims.URGENT_PRECEDENCE if self._urgent else claims.LEAST_PRECEDENCE
        if holds.next_due(self._system.id, most=most) is None:
            return None
        return admission.ask(self._lane, urgent=self._urgent)

    @contextmanager
    def _given_back_on_error(self, permit: Permit) -> Iterator[None]:
        """PostgreSQL may fail at any moment: the target's slot and probe must not stay occupied until the lease ends.

        Giving back a permit whose result has been told does nothing.
        """
        try:
            yield
        except BaseException:
            admission.give_back(self._lane, permit)
            raise

    def _claim(self, wanted: UUID | None) -> claims.Lease | None:
        lease = claims.claim(wanted) if wanted else None
        lease = lease or claims.claim_next(self._system.id, urgent_only=self._urgent)
        if lease:
            lease.delivery.system = self._system
        return lease

    def _try_again(self, delivery: Delivery, delay: float, *, own: bool) -> TryAgain | None:
        """Celery's retry of this task carries the message's own delivery; another delivery gets its own message."""
        if own:
            return TryAgain(delay)
        hints.delivery_due(
            delivery.id, delivery.priority, delivery.system_id, quick_attempts=delivery.attempt_count, countdown=delay
        )
        return None

    def _report(self, permit: Permit, step: SendResult, delivery: Delivery, *, going_on: bool) -> Permit:
        assert step.result is not None  # noqa: S101  (the caller has seen it)
        error = step.result.error
        result = result_of(error, answered=step.result.response is not None)
        if result is None:
            admission.give_back(self._lane, permit)
            return admission.ask(self._lane, urgent=self._urgent) if going_on else permit
        alone = (result == CallResult.FAILED or permit.probe) and _is_alone(delivery)
        pause = pause_of(error)
        if going_on:
            change, following = admission.report_and_ask(
                self._lane,
                permit,
                result,
                delivery_id=delivery.id,
                alone=alone,
                urgent=self._urgent,
                pause=pause,
            )
        else:
            change = admission.report(self._lane, permit, result, delivery_id=delivery.id, alone=alone, pause=pause)
            following = permit
        with self._given_back_on_error(following):
            breakers.follow(self._system, change)
        return following

    def _refused(self, permit: Permit, wanted: UUID | None) -> None:
        """Hold what the target does not accept now. At its limit of calls, a thread that ends one claims the next."""
        if permit.why == Refusal.BREAKER_OPEN:
            if recent_refusals.begins(self._system.id):
                hints.rest(self._system.id, permit.wait)
                holds.for_open_breaker(self._system.id, permit.wait)
                followers.announce_refusal(self._system.id)  # urgent deliveries may be among the held ones
        elif permit.why == Refusal.PAUSED:
            self._wait_for_pause(wanted, permit.wait)
        elif permit.why == Refusal.PROBING and wanted:
            holds.for_probe(wanted)
        elif permit.why == Refusal.RATE_LIMITED:
            self._wait_for_token(wanted or holds.next_due(self._system.id), permit.wait)

    def _wait_for_pause(self, wanted: UUID | None, wait: float) -> None:
        """Hold all that is due until the target may be called again; urgent deliveries continue on another channel."""
        if wanted and holds.for_pause(wanted, wait) and self._urgent:
            followers.announce_trouble(Delivery.objects.get(id=wanted))
        if not recent_refusals.begins(self._system.id):
            return
        hints.rest(self._system.id, wait)
        holds.for_paused(self._system.id, wait)
        followers.announce_refusal(self._system.id)

    def _wait_for_token(self, delivery_id: UUID | None, wait: float) -> None:
        if delivery_id is None:
            return
        priority = holds.for_rate(delivery_id, wait)
        if priority == Priority.URGENT:
            followers.announce_refusal(self._system.id)
        if priority and wait <= max(settings.RETRY_QUICK_SECONDS, default=0):
            hints.delivery_due(delivery_id, priority, self._system.id, countdown=wait)


def _is_alone(delivery: Delivery) -> bool:
    """Whether nothing else waits for the same system."""
    others = Delivery.objects.filter(system_id=delivery.system_id).exclude(id=delivery.id)
    return not (others.filter(state=State.IN_FLIGHT) | others.filter(state__in=list(WAITING))).exists()
