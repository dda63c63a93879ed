"""The scripts of admission on a real Valkey: breaker, calls in flight, tokens."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
import redis
from pytest_django import Settings

from integrations import admission
from integrations.admission import BreakerEffect, BreakerState, CallResult, Lane, Permit, Refusal
from integrations.admission import local as local_rules
from integrations.admission.local import LocalAdmission
from integrations.admission.scripts import PREFIX, keys_of, presence, scripts_at
from integrations.models import System
from notifications.channels.email.providers import PROVIDERS
from tests.integrations.admission.aging import age
from tests.polling import until
from wedsync import vault
from wedsync.weddings.models import Organization

SPANS_OF_TEN = 60.0  # seconds of window, so that a bucket has ten
LOCAL = LocalAdmission()


@pytest.fixture
def client(settings: Settings) -> redis.Redis:
    settings.BREAKER_OPEN_SECONDS = 30.0
    settings.BREAKER_WINDOW_SECONDS = SPANS_OF_TEN
    return scripts_at(settings.BREAKER_URL).client


@pytest.fixture(autouse=True)
def every_key_expires(client: redis.Redis) -> Iterator[None]:
    """Whatever a test did: nothing of admission stays in Redis for ever."""
    yield
    lives = {key: client.ttl(key) for key in client.scan_iter(f"{PREFIX}*")}
    assert all(0 <= life < 86_400 for life in lives.values()), lives


@pytest.fixture
def lane() -> Lane:
    system = uuid4()
    return Lane(system, str(system), call_limit=4, rate=None, burst=1)


def granted(lane: Lane, *, urgent: bool = False) -> Permit:
    permit = admission.ask(lane, urgent=urgent)
    assert permit.granted, permit
    return permit


def refused(lane: Lane, *, urgent: bool = False) -> Permit:
    permit = admission.ask(lane, urgent=urgent)
    assert not permit.granted
    return permit


def end(
    lane: Lane, permit: Permit, verdict: CallResult, *, delivery: UUID | None = None, alone: bool = False
) -> BreakerEffect:
    return admission.tell(lane, permit, verdict, delivery_id=delivery or uuid4(), alone=alone)


def call(lane: Lane, verdict: CallResult, *, delivery: UUID | None = None, alone: bool = False) -> BreakerEffect:
    return end(lane, granted(lane), verdict, delivery=delivery, alone=alone)


def fail(lane: Lane, *, delivery: UUID | None = None, alone: bool = False) -> BreakerEffect:
    return call(lane, CallResult.FAILED, delivery=delivery, alone=alone)


def opened(lane: Lane) -> None:
    while fail(lane) != BreakerEffect.OPENED:
        pass


def view(lane: Lane) -> admission.LaneView:
    return admission.look([lane])[str(lane.system_id)]


def test_five_failures_in_a_row_open_it(lane: Lane) -> None:
    assert [fail(lane) for _ in range(5)] == [BreakerEffect.UNCHANGED] * 4 + [BreakerEffect.OPENED]

    held = refused(lane)
    assert held.why == Refusal.BREAKER_OPEN
    assert 29 < held.wait <= 30
    assert view(lane).state == BreakerState.OPEN


def test_one_poisonous_delivery_does_not_close_the_way_for_others(lane: Lane) -> None:
    poison = uuid4()
    assert {fail(lane, delivery=poison) for _ in range(30)} == {BreakerEffect.UNCHANGED}, "nor by its rate"

    assert fail(lane) == BreakerEffect.OPENED


def test_one_delivery_that_waits_alone_opens_it(lane: Lane) -> None:
    only = uuid4()
    assert [fail(lane, delivery=only, alone=True) for _ in range(5)][-1] == BreakerEffect.OPENED


def test_a_target_that_fails_every_tenth_call_stays_open_for_business(lane: Lane) -> None:
    chance = random.Random(4)  # with this seed, as with most, never five in a row

    changes = {call(lane, CallResult.FAILED if chance.random() < 0.1 else CallResult.ALIVE) for _ in range(1_000)}

    assert changes == {BreakerEffect.UNCHANGED}


def test_half_of_twenty_calls_failing_open_it_though_never_five_in_a_row(lane: Lane) -> None:
    changes = [call(lane, CallResult.FAILED if number % 2 else CallResult.ALIVE) for number in range(20)]

    assert changes == [BreakerEffect.UNCHANGED] * 19 + [BreakerEffect.OPENED]


def test_old_failures_never_open_it_in_quiet_traffic(lane: Lane, client: redis.Redis) -> None:
    for number in range(18):
        call(lane, CallResult.FAILED if number % 2 else CallResult.ALIVE)
    age(client, lane, 70)
    assert (view(lane).window_calls, view(lane).window_failures) == (0, 0)

    for _ in range(30):
        assert call(lane, CallResult.ALIVE) == BreakerEffect.UNCHANGED
        age(client, lane, 10)
    assert fail(lane) == BreakerEffect.UNCHANGED


def test_calls_in_flight_when_it_opens_count_for_nothing(lane: Lane) -> None:
    wide = replace(lane, call_limit=9)
    in_flight = [granted(wide) for _ in range(8)]
    opened(wide)

    verdicts = [CallResult.FAILED, CallResult.ALIVE] * 4
    assert {end(wide, permit, verdict) for permit, verdict in zip(in_flight, verdicts, strict=True)} == {
        BreakerEffect.LATE
    }
    assert view(wide).state == BreakerState.OPEN
    assert view(wide).in_flight == 0


def test_a_dead_target_gets_five_calls_and_those_in_flight(lane: Lane) -> None:
    made, flying = 0, [granted(lane) for _ in range(4)]
    while flying:
        made += 1
        _, following = admission.tell_and_ask(
            lane, flying.pop(0), CallResult.FAILED, delivery_id=uuid4(), alone=False, urgent=False
        )
        if following.granted:
            flying.append(following)

    assert made <= 5 + lane.call_limit


def test_each_reopening_lasts_twice_as_long_up_to_the_longest(lane: Lane, client: redis.Redis) -> None:
    opened(lane)
    waits = []
    for _ in range(7):
        waits.append(round(refused(lane).wait))
        age(client, lane, 600)
        assert end(lane, granted(lane), CallResult.FAILED) == BreakerEffect.REOPENED

    assert waits == [30, 60, 120, 240, 480, 600, 600]


def test_two_good_probes_close_it_and_one_does_where_nothing_waits(lane: Lane, client: redis.Redis) -> None:
    opened(lane)
    age(client, lane, 30)
    assert call(lane, CallResult.ALIVE) == BreakerEffect.UNCHANGED
    assert view(lane).state == BreakerState.HALF_OPEN
    assert call(lane, CallResult.ALIVE) == BreakerEffect.CLOSED

    opened(lane)
    age(client, lane, 60)
    assert call(lane, CallResult.ALIVE, alone=True) == BreakerEffect.CLOSED


def test_a_flapping_target_is_remembered_until_it_has_stayed_closed(lane: Lane, client: redis.Redis) -> None:
    for expected in (30, 60, 120):
        opened(lane)
        assert round(refused(lane).wait) == expected
        age(client, lane, 600)
        call(lane, CallResult.ALIVE, alone=True)
        age(client, lane, 590)

    age(client, lane, 10)
    opened(lane)
    assert round(refused(lane).wait) == 30


def test_a_probe_that_died_blocks_the_way_only_for_its_lease(
    lane: Lane, client: redis.Redis, settings: Settings
) -> None:
    settings.LEASE_SECONDS = 40.0
    opened(lane)
    age(client, lane, 30)
    dead = granted(lane)
    assert dead.probe
    assert 0 < refused(lane).wait <= 2

    age(client, lane, 40)
    assert granted(lane).probe
    assert end(lane, dead, CallResult.ALIVE) == BreakerEffect.LATE


def test_the_urgent_get_the_probes_first(lane: Lane, client: redis.Redis) -> None:
    opened(lane)
    age(client, lane, 30)
    ordinary, urgent = granted(lane), granted(lane, urgent=True)
    assert ordinary.probe
    assert urgent.probe, "one more probe than others may take"
    assert refused(lane, urgent=True).why == Refusal.PROBING

    end(lane, ordinary, CallResult.NEUTRAL)
    end(lane, urgent, CallResult.NEUTRAL)
    assert 0 < refused(lane).wait <= 2, "an urgent one has just been refused"
    assert granted(lane, urgent=True).probe


def test_a_target_that_only_asks_for_patience_is_let_through_again(lane: Lane, client: redis.Redis) -> None:
    opened(lane)
    age(client, lane, 30)

    assert [call(lane, CallResult.NEUTRAL) for _ in range(3)] == [BreakerEffect.UNCHANGED] * 2 + [BreakerEffect.CLOSED]
    assert view(lane).opens == 1, "it has not been forgiven"
    assert {call(lane, CallResult.NEUTRAL) for _ in range(30)} == {BreakerEffect.UNCHANGED}


def test_a_result_counts_once(lane: Lane) -> None:
    permit = granted(lane)
    assert end(lane, permit, CallResult.FAILED) == BreakerEffect.UNCHANGED
    assert end(lane, permit, CallResult.FAILED) == BreakerEffect.LATE
    assert view(lane).failures == 1


def test_no_more_calls_are_in_flight_than_allowed_and_the_urgent_have_slots_of_their_own(lane: Lane) -> None:
    ordinary = [granted(lane) for _ in range(4)]
    assert (refused(lane).why, refused(lane).wait) == (Refusal.AT_CAPACITY, 0.0)
    for _ in range(4):
        granted(lane, urgent=True)
    assert refused(lane, urgent=True).why == Refusal.AT_CAPACITY
    assert (view(lane).in_flight, view(lane).urgent_in_flight) == (8, 4)

    end(lane, ordinary.pop(), CallResult.ALIVE)
    admission.give_back(lane, ordinary.pop())
    assert [granted(lane).granted for _ in range(2)] == [True, True]


@pytest.mark.parametrize(("urgent", "lease"), [(False, 40), (True, 20)])
def test_the_slot_of_a_worker_that_died_comes_free(
    lane: Lane, client: redis.Redis, settings: Settings, *, urgent: bool, lease: int
) -> None:
    settings.LEASE_SECONDS, settings.URGENT_LEASE_SECONDS = 40.0, 20.0
    for _ in range(4):
        granted(lane, urgent=urgent)
    age(client, lane, lease - 10)
    refused(lane, urgent=urgent)
    age(client, lane, 10)
    granted(lane, urgent=urgent)


def test_tokens_come_at_the_promised_time_and_a_share_is_kept_for_the_urgent(lane: Lane, client: redis.Redis) -> None:
    slow = replace(lane, call_limit=100, rate=0.1, burst=10)  # a token in ten seconds
    for _ in range(8):
        granted(slow)
    held = refused(slow)
    assert held.why == Refusal.RATE_LIMITED
    assert 9 < held.wait <= 10
    assert refused(slow).wait <= held.wait, "a refusal uses nothing up"

    for _ in range(2):
        granted(slow, urgent=True)
    assert 9 < refused(slow, urgent=True).wait <= 10
    assert 29 < refused(slow).wait <= 30, "the share of the urgent fills first"
    age(client, slow, 10)
    granted(slow, urgent=True)
    age(client, slow, 30)
    granted(slow)


def test_what_is_given_back_leaves_its_token_and_its_probe(lane: Lane, client: redis.Redis) -> None:
    slow = replace(lane, rate=0.1, burst=2)
    admission.give_back(slow, granted(slow))
    opened(replace(slow, rate=None))
    age(client, slow, 30)

    for _ in range(3):
        permit = granted(slow)
        assert permit.probe
        admission.give_back(slow, permit)
    assert granted(slow).probe


def test_one_round_trip_tells_and_asks(lane: Lane) -> None:
    narrow = replace(lane, call_limit=1)
    permit = granted(narrow)
    for _ in range(4):
        change, permit = admission.tell_and_ask(
            narrow, permit, CallResult.FAILED, delivery_id=uuid4(), alone=False, urgent=False
        )
        assert (change, permit.granted) == (BreakerEffect.UNCHANGED, True)

    change, permit = admission.tell_and_ask(
        narrow, permit, CallResult.FAILED, delivery_id=uuid4(), alone=False, urgent=True
    )
    assert (change, permit.why) == (BreakerEffect.OPENED, Refusal.BREAKER_OPEN)


def test_staff_trip_it_and_reset_it(lane: Lane) -> None:
    flying = granted(lane)
    admission.trip(lane, seconds=600)
    assert 599 < refused(lane, urgent=True).wait <= 600

    admission.reset(lane)
    assert view(lane) == admission.LaneView(in_flight=1)
    assert end(lane, flying, CallResult.FAILED) == BreakerEffect.LATE


def plead(lane: Lane, seconds: float, permit: Permit | None = None) -> BreakerEffect:
    permit = permit or granted(lane)
    return admission.tell(lane, permit, CallResult.NEUTRAL, delivery_id=uuid4(), alone=False, patience=seconds)


@pytest.mark.parametrize("urgent", [False, True])
def test_a_target_that_asked_for_patience_is_left_alone_by_everybody_until_then(
    lane: Lane, client: redis.Redis, urgent: bool
) -> None:
    beside = replace(lane, system_id=uuid4())
    plead(lane, 600)

    permit = refused(lane, urgent=urgent)

    assert permit.why == Refusal.PAUSED
    assert 599 < permit.wait <= 600
    assert view(lane).paused_until
    assert granted(beside), "its breaker is shared, its patience is not"
    age(client, lane, 600)
    assert granted(lane, urgent=urgent)
    assert view(lane).paused_until is None


@pytest.mark.parametrize("pleas", [(60, 600), (600, 60)])
def test_of_two_pleas_the_one_that_ends_later_counts(lane: Lane, pleas: tuple[float, float]) -> None:
    for seconds, permit in [(seconds, granted(lane)) for seconds in pleas]:
        plead(lane, seconds, permit)

    assert 599 < refused(lane).wait <= 600


def test_a_plea_counts_that_came_otherwise_than_by_an_answer(lane: Lane) -> None:
    admission.keep_away(lane, 600)
    admission.keep_away(lane, 60)

    assert 599 < refused(lane, urgent=True).wait <= 600


def test_a_plea_counts_also_where_the_result_comes_too_late_to_count(lane: Lane) -> None:
    flying = granted(lane)
    admission.reset(lane)

    assert plead(lane, 600, flying) == BreakerEffect.LATE
    assert refused(lane).why == Refusal.PAUSED
    admission.reset(lane)
    assert granted(lane), "staff may wait no longer"


def test_whoever_tells_of_a_plea_gets_no_further_leave_in_the_same_round_trip(lane: Lane) -> None:
    _, following = admission.tell_and_ask(
        lane, granted(lane), CallResult.NEUTRAL, delivery_id=uuid4(), alone=False, urgent=True, patience=30
    )

    assert (following.granted, following.why) == (False, Refusal.PAUSED)


def test_a_plea_takes_no_probe_and_lasts_a_day_at_most(lane: Lane, client: redis.Redis) -> None:
    opened(lane)
    age(client, lane, 30)
    plead(lane, 10_000_000)

    assert 86_000 < refused(lane).wait <= 86_400
    client.delete(keys_of(lane)[-1])
    assert granted(lane).probe


def test_while_redis_is_away_the_local_breaker_forgets_the_target_that_was_used_longest_ago(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_rules, "MOST_LANES", 10)
    rules = LocalAdmission()
    for number in range(30):
        busy = rules.ask(lane, f"busy-{number}", urgent=False)
        rules.tell(lane, busy.token, CallResult.FAILED, delivery_id=str(number), alone=False)
        other = uuid4()
        rules.ask(Lane(other, str(other), 4, None, 1), "once", urgent=False)

    assert rules.ask(lane, "again", urgent=False).why == Refusal.BREAKER_OPEN, "it failed five times and more"


def email(provider: str | None) -> System:
    return System(id=uuid4(), kind="email", sealed_credentials=vault.seal({"provider": provider} if provider else {}))


@pytest.mark.parametrize("provider", [None, *PROVIDERS, "smtp", " Resend "])
def test_the_published_rate_is_that_of_the_provider_in_use(provider: str | None) -> None:
    lane = admission.lane_of(email(provider))

    published = {"resend": (5, 10), "brevo": (1000, 1000), "mailersend": (2, 10)}
    assert (lane.rate, lane.burst) == published.get((provider or "resend").strip().lower(), (None, 2))


@pytest.mark.parametrize("provider", ["postmark", "resend"])
def test_a_rate_of_staffs_own_counts_before_the_published_one(provider: str) -> None:
    system = email(provider)
    system.rate_per_second = 3

    assert (admission.lane_of(system).rate, admission.lane_of(system).burst) == (3, 3)


def test_a_provider_that_cannot_be_read_gets_the_rate_of_the_default() -> None:
    system = System(
        id=uuid4(),
        organization=Organization(slug="lakeside"),
        kind="email",
        sealed_credentials=vault.seal({"provider": "env:WEDSYNC_CREDENTIAL_NONE"}),
    )

    assert admission.lane_of(system).rate == 5


def test_systems_behind_one_breaker_have_their_own_limits(lane: Lane) -> None:
    beside = replace(lane, system_id=uuid4())
    for _ in range(4):
        granted(lane)
    granted(beside)

    admission.trip(lane, seconds=60)
    assert refused(beside).why == Refusal.BREAKER_OPEN


def test_a_flush_forgets_and_corrupts_nothing(lane: Lane, client: redis.Redis) -> None:
    opened(lane)
    age(client, lane, 30)
    probe = granted(lane)
    client.flushall()
    client.script_flush()

    opened(lane)
    assert end(lane, probe, CallResult.ALIVE) == BreakerEffect.LATE
    assert view(lane).state == BreakerState.OPEN


def test_a_full_redis_is_never_left_with_half_a_change(lane: Lane, client: redis.Redis) -> None:
    """It refuses a script's first write or none of its writes: results are still counted, staff are told to wait."""
    opened(lane)
    age(client, lane, 30)
    probe = granted(lane)
    limit = client.config_get("maxmemory")["maxmemory"]
    client.config_set("maxmemory", 1)
    try:
        assert end(lane, probe, CallResult.FAILED) == BreakerEffect.REOPENED
        assert not admission.reset(lane)
    finally:
        client.config_set("maxmemory", limit)
        presence.look_again()

    assert (view(lane).state, view(lane).opens) == (BreakerState.OPEN, 2)
    assert admission.reset(lane)


@pytest.mark.parametrize("ask", [admission.ask, lambda lane, urgent: LOCAL.ask(lane, uuid4().hex, urgent=urgent)])
def test_a_rate_that_is_raised_counts_at_once(lane: Lane, ask: Callable[..., Permit]) -> None:
    slow, fast = replace(lane, rate=0.001, burst=1), replace(lane, rate=50.0, burst=1)
    assert ask(slow, urgent=False).granted
    assert ask(slow, urgent=False).wait > 900

    assert ask(fast, urgent=False).wait < 0.1
    until(lambda: ask(fast, urgent=False).granted)
