"""Nothing that was answered is lost, and nothing is half there."""

from dataclasses import replace

import pytest

from bench.ground import Facts, Ground
from bench.ingest.filling import fill
from bench.reconcile import checking
from bench.reconcile.checking import Found, Log, Stored
from bench.reconcile.playing import Play
from bench.reconcile.sending import Sent
from bench.servers import Server
from wedsync.runner.embedded.postgres import NAME

TOLD = {"vm_1": Sent([202], {"e1"}), "vm_2": Sent([None, 503])}
WHOLE = Stored(("e1",), ("e1",), ("e1",), 2, "capacity.updated")
FOUND = Found({"vm_1": WHOLE}, [Log("couple:dashboard:x", 1, 1, 1, 1)], 0)


def test_every_answer_fits_what_is_stored_after_kills_under_load(ground: Ground, facts: Facts, web: Server) -> None:
    news: list[str] = []
    sent = Play(ground, facts, web, senders=8, faults=2, between=60).run(news.append)

    found = checking.read(ground, facts)

    assert checking.faults_of(sent, found) == {}
    assert len(found.stored) >= sum(each.taken for each in sent.values()) >= 180
    assert len(news) == 2


def test_full_tables_are_made_of_whole_events(ground: Ground, facts: Facts, web: Server) -> None:
    sent = Play(ground, facts, web, senders=4, faults=0, between=20).run(print)

    rows = fill(ground, NAME, 2_000)
    found = checking.read(ground, facts)

    assert rows >= 2_000
    assert len(found.stored) > len(sent)
    assert checking.faults_of({external_id: Sent() for external_id in found.stored}, found) == {}


def test_whole_rows_and_no_rows_both_fit() -> None:
    assert checking.faults_of(TOLD, FOUND) == {}
    assert checking.faults_of(TOLD, replace(FOUND, stored={"vm_1": WHOLE, "vm_2": replace(WHOLE)})) == {}


@pytest.mark.parametrize(
    "found",
    [
        replace(FOUND, stored={}),
        replace(FOUND, stored={"vm_1": WHOLE, "vm_9": WHOLE}),
        replace(FOUND, orphans=1),
        replace(FOUND, logs=[Log("couple:dashboard:x", 1, 2, 2, 2)]),
        replace(FOUND, logs=[Log("couple:dashboard:x", 1, 1, 1, 2)]),
        *(
            replace(FOUND, stored={"vm_1": replace(WHOLE, **change)})
            for change in (
                {"dedup_ids": ()},
                {"receipts": ()},
                {"events": ()},
                {"receipts": ("e1", "e2")},
                {"dedup_ids": ("e2",), "receipts": ("e2",), "events": ("e2",)},
                {"entries": 1},
            )
        ),
    ],
)
def test_each_loss_and_each_half_is_noticed(found: Found) -> None:
    assert checking.faults_of(TOLD, found)
