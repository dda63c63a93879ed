"""Which channels have been written to, whatever the order in which transactions end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.factories import WeddingFactory
from tests.polling import until
from tests.wedsync.live.test_log import new_event
from wedsync.live.log import new_entries as new_entries_module
from wedsync.live.log.new_entries import NewEntries
from wedsync.live.log.reader import ChannelKey
from wedsync.live.log.writer import append
from wedsync.live.models import ChannelEntry

NAMES = ["a:b:1", "a:b:2", "a:b:3"]


@pytest.fixture
def wedding(transactional_db: None) -> Any:
    return WeddingFactory()


def key(wedding: Any, name: str) -> ChannelKey:
    return ChannelKey(wedding.organization_id, name)


def write(wedding: Any, *names: str) -> None:
    with transaction.atomic():
        append([new_event(wedding, *names)])


@contextmanager
def unfinished_write(wedding: Any, name: str) -> Iterator[None]:
    """Another transaction that has written and commits at the end."""
    written, finish = threading.Event(), threading.Event()

    def work() -> None:
        try:
            with transaction.atomic():
                append([new_event(wedding, name)])
                written.set()
                finish.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert written.wait(20)
    try:
        yield
    finally:
        finish.set()
        thread.join(20)


def test_what_was_written_is_found_and_after_a_while_no_longer_asked_for(wedding: Any) -> None:
    write(wedding, NAMES[0])
    entries, followed = NewEntries(), [key(wedding, name) for name in NAMES]
    until(lambda: entries.ask(followed) == {}, what="a question without an answer")

    write(wedding, NAMES[1])
    write(wedding, NAMES[1])

    assert entries.ask(followed) == {key(wedding, NAMES[1]): 2}
    until(lambda: entries.ask(followed) == {}, what="a question without an answer")


def test_it_costs_what_was_written_however_many_are_followed(wedding: Any) -> None:
    entries, many = NewEntries(), [key(wedding, f"a:b:{number}") for number in range(5_000)]
    write(wedding, NAMES[0])

    def is_cheap() -> bool:
        with CaptureQueriesContext(connection) as queries:
            entries.ask(many)
        return sum(len(query["sql"]) for query in queries) < 2_000

    until(is_cheap, what="a question that names no channel")
    write(wedding, NAMES[0])
    assert is_cheap()
    write(wedding, NAMES[0])
    assert entries.ask(many)[key(wedding, NAMES[0])] == 3


@pytest.mark.parametrize("asked_meanwhile", range(1, 6))
def test_a_transaction_that_ends_after_newer_ones_is_not_missed(wedding: Any, asked_meanwhile: int) -> None:
    entries, followed = NewEntries(), [key(wedding, name) for name in NAMES]
    for _ in range(3):
        entries.ask(followed)
    with unfinished_write(wedding, NAMES[0]):
        for _ in range(asked_meanwhile):
            write(wedding, NAMES[1])
            assert key(wedding, NAMES[0]) not in entries.ask(followed)

    assert entries.ask(followed)[key(wedding, NAMES[0])] == 1


@pytest.mark.parametrize("asked_before", range(4))
def test_a_transaction_that_began_before_the_first_question_is_not_missed(wedding: Any, asked_before: int) -> None:
    entries, followed = NewEntries(), [key(wedding, name) for name in NAMES]
    with unfinished_write(wedding, NAMES[0]):
        write(wedding, NAMES[1])
        for _ in range(asked_before):
            entries.ask(followed)

    assert entries.ask(followed)[key(wedding, NAMES[0])] == 1


def test_very_much_at_once_is_asked_for_by_what_is_followed(wedding: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_entries_module, "MOST_ENTRIES", 3)
    entries, followed = NewEntries(), [key(wedding, NAMES[0])]
    for _ in range(3):
        entries.ask(followed)
    for _ in range(5):
        write(wedding, *NAMES)

    assert entries.ask(followed) == {key(wedding, NAMES[0]): 5}


def test_a_database_that_was_set_back_is_noticed(wedding: Any) -> None:
    entries, followed = NewEntries(), [key(wedding, name) for name in NAMES]
    for _ in range(3):
        write(wedding, NAMES[0])
        entries.ask(followed)
    ChannelEntry.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('live_channelentry', 'id'), 1)")

    write(wedding, NAMES[2])

    assert entries.ask(followed)[key(wedding, NAMES[2])] == 1
