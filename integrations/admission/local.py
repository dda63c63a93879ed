"""Admission by this process alone, while Redis is away: the same rules, simplified.

No window, one probe (one more for urgent deliveries), one success closes. Its state is forgotten when Redis is back.
Each process has its own limits here, so a target may get its limit of calls from each process.
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from integrations.admission.lanes import Lane
from integrations.admission.permits import BreakerEffect, CallResult, Permit, Refusal

MOST_LANES = 10_000
_PROBE_WAIT = 2.0  # seconds


@dataclass
class _Breaker:
    failures: int = 0
    deliveries: set[str] = field(default_factory=set)
    opens: int = 0
    open_until: float = 0.0
    generation: int = 0
    probes: dict[str, float] = field(default_factory=dict)

    def open(self, now: float) -> None:
        self.opens += 1
        seconds = settings.BREAKER_OPEN_SECONDS * 2.0 ** min(self.opens - 1, 60)
        self.open_until = now + min(seconds, settings.BREAKER_OPEN_MAX_SECONDS)
        self.renew()

    def renew(self) -> None:
        self.generation += 1
        self.failures = 0
        self.deliveries.clear()
        self.probes.clear()


class _Slot(NamedTuple):
    ends: float
    urgent: bool
    generation: int


@dataclass
class _Slots:
    taken: dict[str, _Slot] = field(default_factory=dict)  # by token
    bucket_full_at: float = 0.0

    def in_use(self, now: float, *, urgent: bool) -> int:
        self.taken = {token: slot for token, slot in self.taken.items() if slot.ends > now}
        return sum(slot.urgent == urgent for slot in self.taken.values())

    def full_at(self, now: float, rate: float, burst: int) -> float:
        """When the bucket is full; it is at most empty, even after a change of its rate."""
        self.bucket_full_at = min(self.bucket_full_at, now + burst / rate)
        return max(self.bucket_full_at, now)


class LocalAdmission:
    """Breakers, calls in flight and buckets in this process's memory. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._breakers: OrderedDict[str, _Breaker] = OrderedDict()
        self._slots: OrderedDict[str, _Slots] = OrderedDict()
        self._paused_until: dict[tuple[str, UUID], float] = {}

    def forget(self) -> None:
        """Start over: Redis decides again. Pauses that targets asked for are kept, since Redis does not know them."""
        with self._lock:
            self._breakers.clear()
            self._slots.clear()

    def ask(self, lane: Lane, token: str, *, urgent: bool) -> Permit:
        """Like :func:`integrations.admission.ask`."""
        with self._lock:
            now = time.monotonic()
            breaker, slots = self._of(lane)
            probe = breaker.open_until > 0
            why, wait = self._refusal(lane, breaker, slots, now, urgent=urgent)
            if why is None:
                ends = now + (settings.URGENT_LEASE_SECONDS if urgent else settings.LEASE_SECONDS)
                slots.taken[token] = _Slot(ends, urgent, breaker.generation)
                if lane.rate:
                    slots.bucket_full_at = slots.full_at(now, lane.rate, lane.burst) + 1 / lane.rate
                if probe:
                    breaker.probes[token] = ends
            return Permit(why is None, why, wait, token, None, probe and why is None, urgent)

    def report(self, lane: Lane, token: str, result: CallResult, *, delivery_id: str, alone: bool) -> BreakerEffect:
        """Like :func:`integrations.admission.report`; permits granted elsewhere or earlier do not count."""
        with self._lock:
            breaker, slots = self._of(lane)
            slot = slots.taken.pop(token, None)
            probe = breaker.probes.pop(token, None) is not None
            if slot is None or slot.generation != breaker.generation:
                return BreakerEffect.LATE
            return self._judge(breaker, result, delivery_id, alone=alone, probe=probe)

    def count(self, lane: Lane, result: CallResult, *, delivery_id: str, alone: bool) -> BreakerEffect:
        """Count the result of a call that Redis had granted before it went away."""
        with self._lock:
            breaker, _ = self._of(lane)
            if breaker.open_until > 0:
                return BreakerEffect.LATE
            return self._judge(breaker, result, delivery_id, alone=alone, probe=False)

    def begin_pause(self, lane: Lane, seconds: float) -> None:
        """The target has asked us to pause; the pause that ends last counts."""
        if seconds <= 0:
            return
        with self._lock:
            now, key = time.monotonic(), _pause_key(lane)
            if len(self._paused_until) >= MOST_LANES:
                self._paused_until = {each: ends for each, ends in self._paused_until.items() if ends > now}
            self._paused_until[key] = max(self._paused_until.get(key, 0.0), now + seconds)

    def pause_left(self, lane: Lane) -> float:
        """Seconds left of the pause that this process knows a target has asked for; 0 if there is none."""
        if not self._paused_until:
            return 0.0
        return max(self._paused_until.get(_pause_key(lane), 0.0) - time.monotonic(), 0.0)

    def end_pause(self, lane: Lane) -> None:
        """Forget the pause that a target asked for."""
        self._paused_until.pop(_pause_key(lane), None)

    def give_back(self, lane: Lane, token: str) -> None:
        """Like :func:`integrations.admission.give_back`."""
        with self._lock:
            breaker, slots = self._of(lane)
            breaker.probes.pop(token, None)
            if slots.taken.pop(token, None) and lane.rate:
                slots.bucket_full_at -= 1 / lane.rate

    def _of(self, lane: Lane) -> tuple[_Breaker, _Slots]:
        """The state of a lane. If there are too many, the least recently used is forgotten."""
        breaker = self._breakers.setdefault(lane.breaker_key, _Breaker())
        slots = self._slots.setdefault(str(lane.system_id), _Slots())
        self._breakers.move_to_end(lane.breaker_key)
        self._slots.move_to_end(str(lane.system_id))
        if len(self._breakers) > MOST_LANES:
            self._breakers.popitem(last=False)
        if len(self._slots) > MOST_LANES:
            self._slots.popitem(last=False)
        return breaker, slots

    def _refusal(
        self, lane: Lane, breaker: _Breaker, slots: _Slots, now: float, *, urgent: bool
    ) -> tuple[Refusal | None, float]:
        if now < breaker.open_until:
            return Refusal.BREAKER_OPEN, breaker.open_until - now
        if (pause := self.pause_left(lane)) > 0:
            return Refusal.PAUSED, pause
        breaker.probes = {token: ends for token, ends in breaker.probes.items() if ends > now}
        if breaker.open_until > 0 and len(breaker.probes) >= 1 + urgent:
            return Refusal.PROBING, _PROBE_WAIT
        if slots.in_use(now, urgent=urgent) >= lane.call_limit:
            return Refusal.AT_CAPACITY, 0.0
        if lane.rate:
            tokens = lane.burst if urgent else lane.burst - lane.kept
            wait = slots.full_at(now, lane.rate, lane.burst) + (1 - tokens) / lane.rate - now
            if wait > 0:
                return Refusal.RATE_LIMITED, wait
        return None, 0.0

    def _judge(
        self, breaker: _Breaker, result: CallResult, delivery_id: str, *, alone: bool, probe: bool
    ) -> BreakerEffect:
        if result == CallResult.NEUTRAL:
            return BreakerEffect.UNCHANGED
        if result == CallResult.ALIVE:
            breaker.failures = 0
            breaker.deliveries.clear()
            if not probe:
                return BreakerEffect.UNCHANGED
            breaker.open_until = 0.0
            breaker.renew()
            return BreakerEffect.CLOSED
        if probe:
            breaker.open(time.monotonic())
            return BreakerEffect.REOPENED
        breaker.failures += 1
        if len(breaker.deliveries) < 2:  # two are enough
            breaker.deliveries.add(delivery_id)
        if breaker.failures >= settings.BREAKER_FAILURES and (alone or len(breaker.deliveries) > 1):
            breaker.open(time.monotonic())
            return BreakerEffect.OPENED
        return BreakerEffect.UNCHANGED


def _pause_key(lane: Lane) -> tuple[str, UUID]:
    return lane.breaker_key, lane.system_id
