"""Redis frozen, killed, and back: calls go out, this process keeps the limits, and nothing stays behind."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from pytest_django import Settings
from structlog.testing import capture_logs

from integrations import admission
from integrations.admission import BreakerEffect, CallResult, Lane, Permit, Refusal
from integrations.admission.gate import local
from integrations.admission.scripts import presence, scripts_at
from tests.at_once import at_once
from tests.polling import until
from wedsync.runner import runtime
from wedsync.runner.embedded import EmbeddedValkey
from wedsync.runner.home import Home


@pytest.fixture
def valkey(settings: Settings) -> Iterator[EmbeddedValkey]:
    """A server of the test's own, which it may freeze and kill."""
    folder = Path(tempfile.mkdtemp(prefix="wedsync-away-"))
    home = Home(folder)
    home.create()
    server = EmbeddedValkey(home)
    server.start()
    settings.BREAKER_URL = server.url
    settings.LEASE_SECONDS = 40.0
    yield server
    scripts_at(server.url).client.close()
    scripts_at.cache_clear()
    if server.process:
        server.process.send_signal(signal.SIGCONT)
    server.stop()
    runtime.remove(home.runtime())
    shutil.rmtree(folder)
    local.forget()
    presence.look_again()


@pytest.fixture
def lane() -> Lane:
    system = uuid4()
    return Lane(system, str(system), call_limit=4, rate=None, burst=1)


def send(server: EmbeddedValkey, number: signal.Signals) -> None:
    assert server.process
    server.process.send_signal(number)


def end(lane: Lane, permit: Permit, call_result: CallResult, *, alone: bool = False) -> BreakerEffect:
    return admission.report(lane, permit, call_result, delivery_id=uuid4(), alone=alone)


def back(lane: Lane) -> Permit | None:
    """A permit of Redis, once it answers; those of this process are given back."""
    permit = admission.ask(lane, urgent=True)
    if permit.generation is not None:
        return permit
    if permit.granted:
        admission.give_back(lane, permit)
    return None


def test_while_it_is_frozen_this_process_opens_probes_and_closes(
    valkey: EmbeddedValkey, lane: Lane, settings: Settings
) -> None:
    settings.BREAKER_OPEN_SECONDS = 0.3
    send(valkey, signal.SIGSTOP)

    with capture_logs() as lines:
        changes = [end(lane, admission.ask(lane, urgent=False), CallResult.FAILED) for _ in range(5)]
        refused = admission.ask(lane, urgent=False)

    assert changes == [BreakerEffect.UNCHANGED] * 4 + [BreakerEffect.OPENED]
    assert (refused.why, refused.generation) == (Refusal.BREAKER_OPEN, None)
    assert sum(line["event"] == "breaker_unavailable" for line in lines) <= 1
    probe = until(lambda: granted(lane))
    assert probe.probe
    assert admission.ask(lane, urgent=False).why == Refusal.PROBING
    assert end(lane, probe, CallResult.FAILED) == BreakerEffect.REOPENED
    assert end(lane, until(lambda: granted(lane)), CallResult.ALIVE) == BreakerEffect.CLOSED


def granted(lane: Lane) -> Permit | None:
    permit = admission.ask(lane, urgent=False)
    return permit if permit.granted else None


def test_while_it_is_killed_this_process_keeps_the_calls_in_flight(valkey: EmbeddedValkey, lane: Lane) -> None:
    send(valkey, signal.SIGKILL)

    permits = at_once(16, lambda number: admission.ask(lane, urgent=number % 2 == 0))

    assert sum(permit.granted for permit in permits if not permit.urgent) == 4
    assert sum(permit.granted for permit in permits if permit.urgent) == 4
    assert {permit.why for permit in permits if not permit.granted} == {Refusal.AT_CAPACITY}
    admission.give_back(lane, next(permit for permit in permits if permit.granted and not permit.urgent))
    assert admission.ask(lane, urgent=False).granted
    assert not admission.look([lane])[str(lane.system_id)].known


def test_what_redis_had_granted_is_counted_here_and_given_back_later(valkey: EmbeddedValkey, lane: Lane) -> None:
    before = [admission.ask(lane, urgent=False) for _ in range(4)]
    send(valkey, signal.SIGSTOP)
    assert {end(lane, permit, CallResult.FAILED) for permit in before} == {BreakerEffect.UNCHANGED}
    assert end(lane, admission.ask(lane, urgent=False), CallResult.FAILED) == BreakerEffect.OPENED

    send(valkey, signal.SIGCONT)
    until(lambda: back(lane))

    seen = admission.look([lane])[str(lane.system_id)]
    assert (seen.in_flight, seen.urgent_in_flight) == (1, 1), "no slot is held by a script that ran after our patience"
    assert admission.ask(lane, urgent=False).generation is not None


def test_what_this_process_granted_counts_for_nothing_once_redis_is_back(valkey: EmbeddedValkey, lane: Lane) -> None:
    send(valkey, signal.SIGSTOP)
    here = [admission.ask(lane, urgent=False) for _ in range(3)]
    assert {permit.generation for permit in here} == {None}
    send(valkey, signal.SIGCONT)
    until(lambda: back(lane))

    assert {end(lane, permit, CallResult.FAILED) for permit in here} == {BreakerEffect.LATE}
    assert admission.look([lane])[str(lane.system_id)].failures == 0


def test_a_restart_of_redis_costs_nothing_but_its_time(valkey: EmbeddedValkey, lane: Lane) -> None:
    admission.give_back(lane, admission.ask(lane, urgent=False))
    valkey.stop()
    valkey.start()

    assert admission.ask(lane, urgent=False).generation is not None, "a broken connection is replaced at once"


@pytest.mark.parametrize("granted_by", ["redis", "this process"])
def test_a_requested_pause_is_kept_here_and_when_redis_is_back(
    valkey: EmbeddedValkey, lane: Lane, granted_by: str
) -> None:
    permit = admission.ask(lane, urgent=False) if granted_by == "redis" else None
    send(valkey, signal.SIGSTOP)
    permit = permit or admission.ask(lane, urgent=False)
    admission.report(lane, permit, CallResult.NEUTRAL, delivery_id=uuid4(), alone=False, pause=600)
    other = Lane(uuid4(), str(uuid4()), call_limit=4, rate=None, burst=1)

    assert admission.ask(lane, urgent=True).why == Refusal.PAUSED
    assert admission.ask(other, urgent=False).granted
    send(valkey, signal.SIGCONT)
    until(lambda: back(other))

    found = admission.ask(lane, urgent=True)
    assert found.why == Refusal.PAUSED
    assert 590 < found.wait <= 600
    admission.reset(lane)
    assert admission.ask(lane, urgent=True).granted


def test_the_rate_holds_here_too(valkey: EmbeddedValkey, lane: Lane) -> None:
    slow = Lane(lane.system_id, lane.breaker_key, 100, rate=0.1, burst=5)
    send(valkey, signal.SIGKILL)

    permits = [admission.ask(slow, urgent=False) for _ in range(5)]

    assert [permit.granted for permit in permits] == [True] * 4 + [False]
    assert permits[-1].why == Refusal.RATE_LIMITED
    assert 9 < permits[-1].wait <= 10
    assert admission.ask(slow, urgent=True).granted, "a share is kept for the urgent"


def test_a_rate_beside_the_targets_own_is_not_held_but_where_it_was_refused(valkey: EmbeddedValkey, lane: Lane) -> None:
    pair = Lane(lane.system_id, f"pair:{lane.system_id}", call_limit=1, rate=0.1, burst=5)
    send(valkey, signal.SIGKILL)

    assert {admission.reserve(pair, urgent=False) for _ in range(10)} == {0}
    admission.begin_pause(pair, 60)

    assert 59 < admission.reserve(pair, urgent=True) <= 60
    assert admission.ask(lane, urgent=False).granted, "the target itself goes on"
