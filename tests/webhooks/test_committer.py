"""The writers of a web process: what they promise when PostgreSQL is slow, refuses, or the process ends."""

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
import structlog
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg2 import extensions

from integrations.models import Connection
from tests.factories import ConnectionFactory, ExternalReferenceFactory, WeddingFactory
from tests.polling import until
from tests.webhooks.vendor_events.test_storing import accepted
from webhooks.committer import LARGEST_BATCH, MOST_WAITING, Committer, StorageAway
from webhooks.models import DedupId
from webhooks.vendor_events.envelope import Accepted
from webhooks.vendor_events.storing import Store, Stored, StoreResult
from wedsync import correlation, logs
from wedsync.ids import new_id
from wedsync.live.models import ChannelEntry, ChannelEvent

BLOCKED = """
SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0
"""


def made() -> "Committer[Accepted, Stored]":
    return Committer(Store().batch)


@pytest.fixture
def door(transactional_db: None) -> Connection:
    found: Connection = ConnectionFactory()
    return found


@pytest.fixture
def other() -> Iterator[extensions.connection]:
    """Another connection to the same database, in a transaction."""
    given = connections["default"].get_connection_params()
    for name in ("cursor_factory", "client_encoding"):
        given.pop(name, None)
    opened = psycopg2.connect(**given)
    yield opened
    opened.close()


def run(connection: extensions.connection | BaseDatabaseWrapper, sql: str, *parameters: object) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


def test_a_full_queue_tells_the_sender_at_once(door: Connection) -> None:
    async def play() -> None:
        committer = made()  # whose writers have not begun
        for _ in range(MOST_WAITING):
            committer.submit(accepted(door, "a"))
        with pytest.raises(StorageAway):
            committer.submit(accepted(door, "b"))

    asyncio.run(play())


def test_what_nobody_waits_for_takes_half_the_queue_at_most(door: Connection) -> None:
    async def play() -> int:
        committer = made()
        for _ in range(MOST_WAITING):
            committer.offer(accepted(door, "a"))
        return len(committer._queue)

    assert asyncio.run(play()) == MOST_WAITING // 2


def test_ending_stores_what_is_queued_and_takes_nothing_more(door: Connection) -> None:
    async def play() -> list[Stored]:
        committer = made()
        waiting = [committer.submit(accepted(door, str(number))) for number in range(LARGEST_BATCH + 44)]
        committer.start()
        await committer.stop()
        with pytest.raises(StorageAway):
            committer.submit(accepted(door, "late"))
        assert all(each.done() for each in waiting)
        return await asyncio.gather(*waiting)

    assert [each.status for each in asyncio.run(play())] == [StoreResult.ACCEPTED] * (LARGEST_BATCH + 44)
    assert ChannelEvent.objects.filter(organization=door.organization).count() == LARGEST_BATCH + 44


def test_a_batch_that_loses_a_deadlock_is_written_again(
    door: Connection, other: extensions.connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another transaction claims the id, and then wants the connection's row, which the writer holds by then."""
    run(other, "SET deadlock_timeout = '1min'")  # so that the writer is the one that PostgreSQL ends
    monkeypatch.setenv("PGOPTIONS", "-c deadlock_timeout=200ms")  # long before its sender is told to come again
    claim = (
        "INSERT INTO webhooks_dedupid (connection_id, external_id, receipt_id, body_hash, received_at) "
        "VALUES (%s, 'a', gen_random_uuid(), '', now())"
    )
    run(other, claim, door.id)

    def want() -> None:
        try:
            until(lambda: run(connections["default"], BLOCKED), what="the writer's wait")
        finally:
            connections.close_all()
        run(other, "SELECT 1 FROM integrations_connection WHERE id = %s FOR UPDATE", door.id)
        other.rollback()

    async def play() -> Stored:
        committer = made()
        committer.start()
        try:
            wanting = asyncio.create_task(asyncio.to_thread(want))
            stored = await committer.submit(accepted(door, "a"))
            await wanting
            return stored
        finally:
            await committer.stop()

    assert asyncio.run(play()).status == StoreResult.ACCEPTED
    assert DedupId.objects.filter(connection=door).count() == 1


def test_a_wedding_that_was_deleted_after_it_was_found_leaves_the_event_unlinked(door: Connection) -> None:
    wedding = WeddingFactory(organization=door.organization)
    ExternalReferenceFactory(organization=door.organization, system=door.system, wedding=wedding, external_id="BK-1")

    def delete() -> None:
        try:
            wedding.delete()
        finally:
            connections.close_all()

    async def play() -> tuple[Stored, Stored]:
        committer = made()
        committer.start()
        try:
            first = await committer.submit(accepted(door, "a", {"booking_id": "BK-1"}))
            await asyncio.to_thread(delete)
            return first, await committer.submit(accepted(door, "b", {"booking_id": "BK-1"}))
        finally:
            await committer.stop()

    answers = asyncio.run(play())

    assert [each.status for each in answers] == [StoreResult.ACCEPTED, StoreResult.ACCEPTED]
    after = ChannelEvent.objects.get(id=answers[1].id)
    assert (after.wedding_id, after.routing) == (None, "unlinked")
    assert "wedding_id" not in after.payload
    assert not ChannelEntry.objects.filter(event=after, channel__name__contains=str(wedding.id)).exists()


def test_a_sender_is_told_in_time_and_a_repetition_does_no_harm(door: Connection, other: extensions.connection) -> None:
    run(other, "LOCK TABLE webhooks_receipt IN ACCESS EXCLUSIVE MODE")

    async def play() -> Stored:
        committer = made()
        committer.start()
        try:
            item = accepted(door, "a")
            with pytest.raises(StorageAway):
                async with asyncio.timeout(5):
                    await committer.submit(item)
            again = committer.submit(item)
            other.rollback()
            return await again
        finally:
            await committer.stop()

    stored = asyncio.run(play())

    assert stored.status == StoreResult.DUPLICATE
    assert ChannelEvent.objects.filter(organization=door.organization, id=stored.id).count() == 1


def test_who_comes_behind_a_request_that_hangs_does_not_wait_for_it(
    door: Connection, other: extensions.connection
) -> None:
    run(
        other,
        "INSERT INTO webhooks_dedupid (connection_id, external_id, receipt_id, body_hash, received_at) "
        "VALUES (%s, 'hangs', gen_random_uuid(), '', now())",
        door.id,
    )

    async def play() -> None:
        committer = made()
        committer.start()
        hanging = committer.submit(accepted(door, "hangs"))
        await asyncio.sleep(0)  # a writer takes it alone
        behind = committer.submit(accepted(door, "behind"))
        assert (await behind).status is StoreResult.ACCEPTED
        assert not hanging.done()
        other.rollback()
        assert (await hanging).status is StoreResult.ACCEPTED
        await committer.stop()

    asyncio.run(play())


@pytest.mark.parametrize("count", [1, 25])
def test_a_line_about_a_batch_names_its_first_requests_and_one_about_a_request_its_own(
    door: Connection, other: extensions.connection, count: int
) -> None:
    ids = [new_id() for _ in range(count)]
    run(other, "LOCK TABLE webhooks_receipt IN ACCESS EXCLUSIVE MODE")

    def end_the_writer() -> None:
        try:
            ((pid,),) = until(lambda: run(connections["default"], BLOCKED), what="the writer's wait")
        finally:
            connections.close_all()
        run(other, "SELECT pg_terminate_backend(%s)", pid)

    async def play() -> list[Stored | BaseException]:
        committer, waiting = made(), []
        for number, each in enumerate(ids):
            with correlation.of(each):
                waiting.append(committer.submit(accepted(door, str(number))))
        committer.start()
        await asyncio.to_thread(end_the_writer)
        found = await asyncio.gather(*waiting, return_exceptions=True)
        other.rollback()
        await committer.stop()
        return found

    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars, logs.identified]) as lines:
        answers = asyncio.run(play())

    assert {type(answer) for answer in answers} == {StorageAway}
    (line,) = [line for line in lines if line["event"] == "storage_away"]
    named = [str(each) for each in ids]
    assert line["requests"] == count
    assert (line.get("correlation_id"), line.get("correlation_ids")) == (
        (named[0], None) if count == 1 else (None, named[:20])
    )
