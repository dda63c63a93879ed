"""What Redis holds of admission is flushed, or has no room: nothing is corrupted, and nothing stays half done."""

from uuid import uuid4

import pytest
import redis

from integrations import admission
from integrations.admission import BreakerEffect, BreakerState, CallResult, Lane, Refusal
from integrations.admission import local as local_rules
from integrations.admission.local import LocalAdmission
from integrations.admission.scripts import presence
from tests.integrations.admission.aging import age
from tests.integrations.admission.calls import end, granted, opened, view

pytestmark = pytest.mark.usefixtures("every_key_expires")


def test_while_redis_is_away_the_local_breaker_forgets_the_target_that_was_used_longest_ago(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_rules, "MOST_LANES", 10)
    rules = LocalAdmission()
    for number in range(30):
        busy = rules.ask(lane, f"busy-{number}", urgent=False)
        rules.report(lane, busy.token, CallResult.FAILED, delivery_id=str(number), alone=False)
        other = uuid4()
        rules.ask(Lane(other, str(other), 4, None, 1), "once", urgent=False)

    assert rules.ask(lane, "again", urgent=False).why == Refusal.BREAKER_OPEN, "it failed five times and more"


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
