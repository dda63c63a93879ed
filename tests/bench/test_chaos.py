"""Whatever is killed under load, each answer is followed to its target; and the judge notices what is wrong."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.chaos.faults import FAULTS
from bench.chaos.judging import judge
from bench.chaos.ledger import Arrival, Delivery, Event, Ledger
from bench.ground import ROOT
from bench.reconcile.checking import Log
from bench.reconcile.sending import Sent

SHORT = ["kill-worker-high", "valkey-lost", "postgres-restart"]
SENT = {"vm_1": Sent([503, 202], {"e1"}), "vm_2": Sent([None, 503])}
TARGETS = {"timeline.updated": ["a", "b"]}
ARRIVED = Delivery("d1", "a", "succeeded", "")
REPEATED = Delivery("d2", "b", "succeeded", "", unknown=1)
EVENT = Event("e1", "timeline.updated", "routed", "none", [ARRIVED, REPEATED])
ARRIVALS = {"d1": Arrival(1), "d2": Arrival(2)}
WHOLE = Ledger({"vm_1": EVENT}, ARRIVALS, [Log("couple:dashboard:x", 1, 1, 1, 1)])


def chaos(*words: str) -> tuple[int, str]:
    """Run it; where it takes too long it is asked to stop, and so takes its copy away."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.chaos", *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    try:
        printed, _ = process.communicate(timeout=400)
    except BaseException:
        process.terminate()
        process.communicate()
        raise
    return process.returncode, printed


@pytest.mark.timeout(500)
def test_nothing_is_lost_when_a_worker_valkey_and_postgresql_die_under_load(tmp_path: Path) -> None:
    written = tmp_path / "chaos.json"

    code, printed = chaos("--faults", *SHORT, "--seconds", "2", "--rate", "6", "--output", str(written))

    assert code == 0, printed
    figures = json.loads(written.read_text())
    assert figures["ratios"]["lost"] == figures["ratios"]["unexplained_duplicates"] == 0
    assert [each["name"] for each in figures["faults"]] == SHORT
    for each in figures["faults"]:
        assert each["delivered"] > each["accepted"] > 5
    assert figures["total"]["delivered"] == sum(each["delivered"] for each in figures["faults"])


def test_what_arrived_once_and_what_came_again_after_an_unknown_outcome_both_fit() -> None:
    verdict = judge(SENT, WHOLE, TARGETS)

    assert verdict.holds, verdict.examples
    assert (verdict.accepted, verdict.delivered, verdict.lost) == (1, 2, 0)
    assert (verdict.duplicates, verdict.explained) == (1, 1)


def changed(**fields: object) -> Ledger:
    """A ledger in which the first delivery is another one."""
    return replace(WHOLE, events={"vm_1": replace(EVENT, deliveries=[replace(ARRIVED, **fields), REPEATED])})


@pytest.mark.parametrize(
    "ledger",
    [
        replace(WHOLE, events={}),
        replace(WHOLE, events={"vm_1": replace(EVENT, routing="pending")}),
        replace(WHOLE, events={"vm_1": replace(EVENT, deliveries=[ARRIVED])}),
        replace(WHOLE, arrivals={"d2": Arrival(2)}),
        replace(WHOLE, arrivals={**ARRIVALS, "d1": Arrival(0)}),
        changed(state="pending"),
        changed(state="in_flight"),
        changed(state="scheduled", reason="server_error"),
        changed(state="held", reason="breaker_open"),
        changed(state="dead"),
        changed(state="dead", reason="refused"),
        changed(state="skipped"),
    ],
)
def test_each_loss_is_noticed(ledger: Ledger) -> None:
    verdict = judge(SENT, ledger, TARGETS)

    assert verdict.lost >= 1
    assert not verdict.holds


@pytest.mark.parametrize(
    "ledger",
    [
        replace(WHOLE, arrivals={**ARRIVALS, "d1": Arrival(2)}),
        replace(WHOLE, arrivals={**ARRIVALS, "d2": Arrival(3)}),
        replace(WHOLE, arrivals={**ARRIVALS, "d2": Arrival(2, bodies=2)}),
        replace(WHOLE, events={"vm_1": replace(EVENT, id="e2")}),
        replace(WHOLE, events={"vm_1": replace(EVENT, deliveries=[ARRIVED, ARRIVED, REPEATED])}),
        replace(WHOLE, logs=[Log("couple:dashboard:x", 1, 1, 1, 2)]),
    ],
)
def test_a_repetition_without_a_reason_and_a_gap_are_noticed(ledger: Ledger) -> None:
    assert not judge(SENT, ledger, TARGETS).holds


def test_held_for_staff_and_left_out_with_a_cause_fit() -> None:
    assert judge(SENT, changed(state="held", reason="system_paused"), TARGETS).held == 1
    assert judge(SENT, changed(state="skipped", reason="no_consent"), TARGETS).left_out == 1


def test_a_death_with_a_cause_fits_only_where_the_fault_lets_deliveries_die() -> None:
    gone = changed(state="dead", reason="target_gone")

    assert judge(SENT, gone, TARGETS, deaths=True).dead == 1
    assert judge(SENT, gone, TARGETS, deaths=True).holds
    assert not judge(SENT, gone, TARGETS).holds


def test_an_event_that_changed_nothing_needs_no_delivery() -> None:
    stale = replace(WHOLE, events={"vm_1": replace(EVENT, effect="stale", deliveries=[])})

    assert judge(SENT, stale, TARGETS).holds


def test_each_fault_has_a_name_of_its_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert {fault.name for fault in FAULTS} >= set(SHORT)
