"""Many threads and several processes ask and report at once: the scripts let no one slip through."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import Settings

from integrations import admission
from integrations.admission import BreakerEffect, BreakerState, CallResult, Lane, Permit
from tests.at_once import at_once

Callers = list[subprocess.Popen[str]]
PROCESSES = 3
PATIENCE = 60.0  # seconds


@pytest.fixture
def lane(settings: Settings) -> Lane:
    settings.LEASE_SECONDS = 40.0
    system = uuid4()
    return Lane(system, str(system), call_limit=4, rate=None, burst=1)


@pytest.fixture(scope="module")
def callers() -> Iterator[Callers]:
    """Some processes that wait to be told what to call."""
    command = [sys.executable, "-m", "tests.integrations.admission.admission_caller"]
    times = {"WEDSYNC_BREAKER_OPEN_SECONDS": "600", "WEDSYNC_LEASE_SECONDS": "40"}
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "wedsync.settings", **times}
    processes = [
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    try:
        assert [answer(process) for process in processes] == ["ready"] * PROCESSES
        yield processes
    finally:
        for process in processes:
            process.kill()  # it holds nothing that an orderly end would save
        for process in processes:
            process.communicate(timeout=PATIENCE)


def answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def in_processes(callers: Callers, lane: Lane, call_result: CallResult) -> list[dict[str, Any]]:
    """What each thread of each process saw; they begin together."""
    for process in callers:
        assert process.stdin
        process.stdin.write(f"{lane.system_id} {lane.call_limit} {call_result.value}\n")
        process.stdin.flush()
    return [seen for process in callers for seen in json.loads(answer(process))]


def test_several_processes_never_exceed_the_calls_in_flight(callers: Callers, lane: Lane) -> None:
    seen = in_processes(callers, lane, CallResult.ALIVE)

    assert sum(each["made"] for each in seen) > 20
    assert 1 <= max(each["most"] for each in seen) <= lane.call_limit
    assert {change for each in seen for change in each["changes"]} == {"unchanged"}
    assert admission.look([lane])[str(lane.system_id)].in_flight == 0


def test_several_processes_open_it_once_and_late_results_count_for_nothing(callers: Callers, lane: Lane) -> None:
    seen = in_processes(callers, lane, CallResult.FAILED)

    changes = Counter(change for each in seen for change in each["changes"])
    assert changes["opened"] == 1
    assert changes["unchanged"] == 4
    assert changes["late"] <= lane.call_limit - 1
    assert sum(each["made"] for each in seen) <= 5 + lane.call_limit
    assert sum(each["probes"] for each in seen) == 0


def half_open(lane: Lane) -> None:
    admission.trip(lane, seconds=0)
    assert admission.look([lane])[str(lane.system_id)].state == BreakerState.HALF_OPEN


def test_many_threads_get_one_probe_and_the_urgent_among_them_one_more(lane: Lane) -> None:
    for urgent, most in ((False, 1), (True, 2)):
        half_open(lane)
        permits = at_once(24, lambda number, urgent=urgent: admission.ask(lane, urgent=urgent and number % 2 == 0))
        probes = [permit for permit in permits if permit.granted]
        assert all(permit.probe for permit in probes)
        assert len(probes) <= most
        assert len(probes) == most or not urgent or sum(permit.urgent for permit in probes) == len(probes)
        for permit in probes:
            admission.give_back(lane, permit)


def test_two_probes_that_end_together_close_it_once(lane: Lane) -> None:
    half_open(lane)
    permits = [admission.ask(lane, urgent=urgent) for urgent in (False, True)]
    assert [permit.probe for permit in permits] == [True, True]

    changes = at_once(2, lambda number: end(lane, permits[number], CallResult.ALIVE))

    assert sorted(changes) == [BreakerEffect.CLOSED, BreakerEffect.UNCHANGED]


def test_two_probes_that_fail_together_reopen_it_once(lane: Lane) -> None:
    half_open(lane)
    permits = [admission.ask(lane, urgent=urgent) for urgent in (False, True)]

    changes = at_once(2, lambda number: end(lane, permits[number], CallResult.FAILED))

    assert sorted(changes) == [BreakerEffect.LATE, BreakerEffect.REOPENED]


def end(lane: Lane, permit: Permit, call_result: CallResult) -> BreakerEffect:
    return admission.report(lane, permit, call_result, delivery_id=uuid4(), alone=False)
