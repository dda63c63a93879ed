"""What admission must do, written a second time, plainly: the scripts are held against it.

Times are seconds; the test says what time it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from integrations.admission import BreakerEffect, CallResult, Refusal

SPAN = 1_000.0  # seconds of one of the window's buckets; so long that none ends while a test looks at the clock
SPANS = 6


@dataclass(frozen=True)
class Rules:
    failures: int
    first_open: float
    longest_open: float
    rate: float
    volume: int
    closing: int
    lease: float
    call_limit: int
    per_second: float | None
    burst: int
    kept: int


@dataclass
class Given:
    """Leave that the model has given."""

    token: str
    urgent: bool
    probe: bool
    generation: int


@dataclass
class Call:
    span: int
    failed: bool
    delivery: str


@dataclass
class Model:
    rules: Rules
    generation: int = 0
    generations: int = 0
    open_until: float | None = None
    opens: int = 0
    closed_at: float | None = None
    run: list[str] = field(default_factory=list)  # the deliveries of the failures in a row
    window: list[Call] = field(default_factory=list)
    successes: int = 0
    neutral: int = 0
    wanted_at: float | None = None
    probes: dict[str, float] = field(default_factory=dict)
    slots: dict[bool, dict[str, float]] = field(default_factory=lambda: {False: {}, True: {}})
    full_at: float = 0.0
    paused_until: float = 0.0

    def ask(self, now: float, *, urgent: bool) -> Refusal | None:
        """Why leave is not given; the test calls :meth:`grant` where it is."""
        if self.open_until is not None and now < self.open_until:
            return Refusal.BREAKER_OPEN
        if now < self.paused_until:
            return Refusal.PAUSED
        if self.open_until is not None:
            out = sum(ends > now for ends in self.probes.values())
            if out >= (2 if urgent else 1):
                self.wanted_at = now if urgent else self.wanted_at
                return Refusal.PROBING
            if not urgent and self.wanted_at is not None and now < self.wanted_at + 2:
                return Refusal.PROBING
        if self.in_flight(now, urgent=urgent) >= self.rules.call_limit:
            return Refusal.AT_CAPACITY
        if self.rules.per_second and self.tokens(now) < 1 + (0 if urgent else self.rules.kept):
            return Refusal.RATE_LIMITED
        return None

    def grant(self, now: float, token: str, *, urgent: bool) -> Given:
        ends = now + self.rules.lease
        self.slots[urgent] = {held: end for held, end in self.slots[urgent].items() if end > now}
        self.slots[urgent][token] = ends
        if self.rules.per_second:
            self.full_at = max(self.full_at, now) + 1 / self.rules.per_second
        probe = self.open_until is not None
        if probe:
            self.probes = {held: end for held, end in self.probes.items() if end > now}
            self.probes[token] = ends
        return Given(token, urgent, probe, self.generation)

    def tokens(self, now: float) -> float:
        assert self.rules.per_second
        missing = max(self.full_at - now, 0) * self.rules.per_second
        return self.rules.burst - missing + 1e-7  # what floats lose

    def in_flight(self, now: float, *, urgent: bool) -> int:
        return sum(ends > now for ends in self.slots[urgent].values())

    def keep_away(self, now: float, seconds: float) -> None:
        if seconds:
            self.paused_until = max(self.paused_until, now + seconds)

    def report(self, now: float, given: Given, call_result: CallResult, delivery: str, *, alone: bool) -> BreakerEffect:
        held = self.slots[given.urgent].pop(given.token, None) is not None
        if given.probe:
            held = self.probes.pop(given.token, None) is not None and held
        if not held or given.generation != self.generation:
            return BreakerEffect.LATE
        if given.probe:
            return self._tell_probe(now, call_result, alone=alone)
        if call_result == CallResult.NEUTRAL:
            return BreakerEffect.UNCHANGED
        failed = call_result == CallResult.FAILED
        self.window.append(Call(int(now // SPAN), failed, delivery))
        self.run = [*self.run, delivery] if failed else []
        if failed and (self._too_many_in_a_row(alone=alone) or self._too_many_in_window(now, alone=alone)):
            forgiven = self.closed_at is None or now >= self.closed_at + self.rules.longest_open
            self._open(now, 1 if forgiven else self.opens + 1)
            return BreakerEffect.OPENED
        return BreakerEffect.UNCHANGED

    def _too_many_in_a_row(self, *, alone: bool) -> bool:
        return len(self.run) >= self.rules.failures and (alone or len(set(self.run)) > 1)

    def present(self, now: float) -> list[Call]:
        return [call for call in self.window if call.span > now // SPAN - SPANS]

    def _too_many_in_window(self, now: float, *, alone: bool) -> bool:
        calls = self.present(now)
        failed = [call.delivery for call in calls if call.failed]
        enough = len(calls) >= self.rules.volume and len(failed) >= self.rules.rate * len(calls)
        return enough and (alone or len(set(failed)) > 1)

    def _tell_probe(self, now: float, call_result: CallResult, *, alone: bool) -> BreakerEffect:
        if call_result == CallResult.FAILED:
            self._open(now, self.opens + 1)
            return BreakerEffect.REOPENED
        if call_result == CallResult.ALIVE:
            self.successes += 1
            self.neutral = 0
        else:
            self.neutral += 1
        good = self.successes >= self.rules.closing or (alone and call_result == CallResult.ALIVE)
        if good or self.neutral >= 3:
            self._enter(None, self.opens, now)
            return BreakerEffect.CLOSED
        return BreakerEffect.UNCHANGED

    def give_back(self, now: float, given: Given) -> None:
        held = self.slots[given.urgent].pop(given.token, None) is not None
        self.probes.pop(given.token, None)
        if held and self.rules.per_second:
            self.full_at -= 1 / self.rules.per_second

    def trip(self, now: float, seconds: float) -> None:
        self._enter(now + seconds, self.opens, None)

    def reset(self) -> None:
        self._enter(None, 0, None)
        self.paused_until = 0.0

    def flush(self) -> None:
        self._enter(None, 0, None)
        self.generation = 0
        self.slots = {False: {}, True: {}}
        self.full_at = 0.0
        self.paused_until = 0.0

    def _open(self, now: float, opens: int) -> None:
        length = min(self.rules.first_open * 2 ** (opens - 1), self.rules.longest_open)
        self._enter(now + length, opens, None)

    def _enter(self, open_until: float | None, opens: int, closed_at: float | None) -> None:
        self.generations += 1
        self.generation = self.generations
        self.open_until, self.opens, self.closed_at = open_until, opens, closed_at
        self.run, self.window, self.successes, self.neutral = [], [], 0, 0
        self.wanted_at = None
        self.probes = {}
