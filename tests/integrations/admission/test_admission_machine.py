"""Hypothesis drives the real scripts, in any order it can think of, against the plain model."""

from typing import Any
from uuid import UUID, uuid4

import hypothesis.strategies as st
from django.conf import settings
from django.test import override_settings
from hypothesis import HealthCheck
from hypothesis import settings as how
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from integrations import admission
from integrations.admission import BreakerState, CallResult, Lane, Permit
from integrations.admission.scripts import MICROSECONDS, keys_of, scripts_at
from tests.integrations.admission.admission_model import SPAN, Given, Model, Rules
from tests.integrations.admission.aging import age
from tests.polling import until

TIMES = {
    "LEASE_SECONDS": 4_000.0,
    "URGENT_LEASE_SECONDS": 4_000.0,
    "BREAKER_FAILURES": 5,
    "BREAKER_OPEN_SECONDS": 3_000.0,
    "BREAKER_OPEN_MAX_SECONDS": 12_000.0,
    "BREAKER_WINDOW_SECONDS": 6_000.0,
    "BREAKER_RATE": 0.5,
    "BREAKER_VOLUME": 6,
    "BREAKER_PROBES": 1,
    "BREAKER_CLOSING": 2,
}
DELIVERIES = [UUID(int=number) for number in range(1, 4)]
EDGE = 3.0  # seconds; so near its end a bucket of the window could end between two looks at the clock
verdicts = st.sampled_from(
    [CallResult.FAILED, CallResult.FAILED, CallResult.FAILED, CallResult.ALIVE, CallResult.NEUTRAL]
)
deliveries = st.sampled_from(DELIVERIES)
pauses = st.sampled_from([0, 0, 0, 0, 1_500, 4_500])  # seconds
which = st.integers(min_value=0, max_value=1_000)


class AdmissionMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.client = scripts_at(settings.BREAKER_URL).client
        self.travelled = 0
        self.permits: list[tuple[Permit, Given]] = []

    @initialize(per_second=st.sampled_from([None, None, 0.002]), call_limit=st.sampled_from([2, 4]))
    def begin(self, per_second: float | None, call_limit: int) -> None:
        system = uuid4()
        self.lane = Lane(system, str(system), call_limit, per_second, 3)
        self.model = Model(
            Rules(5, 3_000.0, 12_000.0, 0.5, 6, 2, 4_000.0, call_limit, per_second, burst=3, kept=self.lane.kept)
        )

    def now(self) -> float:
        """Redis' time and what was travelled, never so late in a bucket that the script might see the next one."""

        def early() -> float | None:
            seconds, microseconds = self.client.time()
            now = float(seconds) + microseconds / MICROSECONDS
            return now if now % SPAN < SPAN - EDGE else None

        found = until(early)
        assert found
        return found + self.travelled

    def compare(self, permit: Permit, now: float, *, urgent: bool) -> None:
        why = self.model.ask(now, urgent=urgent)
        assert (permit.granted, permit.why) == (why is None, why)
        assert permit.wait >= 0
        if permit.granted:
            given = self.model.grant(now, permit.token, urgent=urgent)
            assert permit.probe == given.probe
            self.permits.append((permit, given))
        elif why != admission.Refusal.AT_CAPACITY:
            assert permit.wait > 0, "who may not ask again now is told when"

    @rule(urgent=st.booleans())
    def ask(self, urgent: bool) -> None:
        now = self.now()
        self.compare(admission.ask(self.lane, urgent=urgent), now, urgent=urgent)

    @precondition(lambda self: self.permits)
    @rule(place=which, verdict=verdicts, delivery=deliveries, alone=st.booleans(), pause=pauses)
    def report(self, place: int, verdict: CallResult, delivery: UUID, alone: bool, pause: int = 0) -> None:
        if not self.permits:
            return
        permit, given = self.permits[place % len(self.permits)]
        now = self.now()
        change = admission.report(self.lane, permit, verdict, delivery_id=delivery, alone=alone, pause=pause)
        self.model.keep_away(now, pause)
        assert change == self.model.report(now, given, verdict, str(delivery), alone=alone)

    @precondition(lambda self: self.permits)
    @rule(verdict=verdicts, delivery=deliveries, alone=st.booleans(), urgent=st.booleans(), times=st.integers(1, 6))
    def go_on(self, verdict: CallResult, delivery: UUID, alone: bool, urgent: bool, times: int) -> None:
        for _ in range(times):
            permit, given = self.permits[-1]
            now = self.now()
            change, following = admission.report_and_ask(
                self.lane, permit, verdict, delivery_id=delivery, alone=alone, urgent=urgent
            )
            assert change == self.model.report(now, given, verdict, str(delivery), alone=alone)
            self.compare(following, now, urgent=urgent)

    @rule(answers=st.lists(verdicts, min_size=3, max_size=7), delivery=deliveries, alone=st.booleans())
    def call_one_after_the_other(self, answers: list[CallResult], delivery: UUID, alone: bool) -> None:
        for number, verdict in enumerate(answers):
            self.ask(urgent=False)
            self.report(-1, verdict, DELIVERIES[0] if number else delivery, alone)

    @precondition(lambda self: self.permits)
    @rule(place=which)
    def give_back(self, place: int) -> None:
        permit, given = self.permits[place % len(self.permits)]
        now = self.now()
        admission.give_back(self.lane, permit)
        self.model.give_back(now, given)

    @rule(spans=st.sampled_from([1, 2, 3, 3, 4, 6, 12]))
    def time_passes(self, spans: int) -> None:
        age(self.client, self.lane, spans * int(SPAN), span=int(SPAN))
        self.travelled += spans * int(SPAN)

    @precondition(lambda self: self.model.open_until is not None)
    @rule()
    def its_time_has_come(self) -> None:
        wait = (self.model.open_until or 0) - self.now()
        if wait > 0:
            self.time_passes(int(wait // SPAN) + 1)

    @precondition(lambda self: self.model.open_until is not None and self.model.open_until < self.now())
    @rule(verdict=st.sampled_from([CallResult.ALIVE, CallResult.NEUTRAL, CallResult.FAILED]), times=st.integers(1, 3))
    def probe(self, verdict: CallResult, times: int) -> None:
        for _ in range(times):
            self.ask(urgent=False)
            self.report(-1, verdict, DELIVERIES[0], alone=False)

    @precondition(lambda self: len(self.permits) % 4 == 0)  # rare, since what begins anew ends what it interrupts
    @rule(seconds=st.sampled_from([2_000, 6_000]))
    def trip(self, seconds: int) -> None:
        now = self.now()
        admission.trip(self.lane, seconds=seconds)
        self.model.trip(now, seconds)

    @precondition(lambda self: len(self.permits) % 4 == 1)
    @rule()
    def reset(self) -> None:
        admission.reset(self.lane)
        self.model.reset()

    @precondition(lambda self: len(self.permits) % 4 == 1)
    @rule()
    def flush(self) -> None:
        self.client.flushall()
        self.client.script_flush()
        self.model.flush()

    @invariant()
    def the_view_is_the_models(self) -> None:
        now = self.now()
        view = admission.look([self.lane])[str(self.lane.system_id)]
        until = self.model.open_until
        state = BreakerState.CLOSED if until is None else BreakerState.OPEN if now < until else BreakerState.HALF_OPEN
        calls = self.model.present(now)
        urgent = self.model.in_flight(now, urgent=True)
        assert (view.state, view.failures, view.opens) == (state, len(self.model.run), self.model.opens)
        assert (view.window_calls, view.window_failures) == (len(calls), sum(call.failed for call in calls))
        assert (view.in_flight, view.urgent_in_flight) == (urgent + self.model.in_flight(now, urgent=False), urgent)
        assert bool(view.paused_until) == (now < self.model.paused_until)
        assert max(urgent, view.in_flight - urgent) <= self.lane.call_limit

    @invariant()
    def every_key_expires(self) -> None:
        lives = {key: self.client.ttl(key) for key in self.client.keys("wedsync:admission:*")}
        assert {key: life for key, life in lives.items() if not 0 <= life < 86_400} == {}

    def teardown(self) -> None:
        self.client.delete(*keys_of(self.lane))


class TestAdmissionMachine(AdmissionMachine.TestCase):  # type: ignore[name-defined,misc]
    settings = how(max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

    def runTest(self) -> Any:  # noqa: N802
        with override_settings(**TIMES):
            super().runTest()
