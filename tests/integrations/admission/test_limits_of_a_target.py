"""How many calls of a target are in flight at once, and how many it gets in a time."""

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest
import redis
from pytest_django import Settings

from integrations import admission
from integrations.admission import BreakerEffect, CallResult, Lane, Permit, Refusal
from integrations.admission.local import LocalAdmission
from integrations.models import System
from notifications.channels.email.providers import PROVIDERS
from tests.integrations.admission.aging import age
from tests.integrations.admission.calls import end, granted, opened, refused, view
from tests.polling import until
from wedsync import vault
from wedsync.weddings.models import Organization

pytestmark = pytest.mark.usefixtures("every_key_expires")

LOCAL = LocalAdmission()


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
        change, permit = admission.report_and_ask(
            narrow, permit, CallResult.FAILED, delivery_id=uuid4(), alone=False, urgent=False
        )
        assert (change, permit.granted) == (BreakerEffect.UNCHANGED, True)

    change, permit = admission.report_and_ask(
        narrow, permit, CallResult.FAILED, delivery_id=uuid4(), alone=False, urgent=True
    )
    assert (change, permit.why) == (BreakerEffect.OPENED, Refusal.BREAKER_OPEN)


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


@pytest.mark.parametrize("ask", [admission.ask, lambda lane, urgent: LOCAL.ask(lane, uuid4().hex, urgent=urgent)])
def test_a_rate_that_is_raised_counts_at_once(lane: Lane, ask: Callable[..., Permit]) -> None:
    slow, fast = replace(lane, rate=0.001, burst=1), replace(lane, rate=50.0, burst=1)
    assert ask(slow, urgent=False).granted
    assert ask(slow, urgent=False).wait > 900

    assert ask(fast, urgent=False).wait < 0.1
    until(lambda: ask(fast, urgent=False).granted)
