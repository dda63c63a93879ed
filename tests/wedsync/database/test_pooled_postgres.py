"""Connections to PostgreSQL that the threads of a process share."""

import contextlib
from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection, transaction

from tests.at_once import at_once
from wedsync.database.pooled.base import Connection, _pool

pytestmark = pytest.mark.django_db(transaction=True)
MOST = 3


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """At most so many; none lies idle before or after."""
    monkeypatch.setitem(connection.settings_dict, "MOST_CONNECTIONS", MOST)
    connection.close_pool()
    yield
    connection.close_pool()


def _open_now() -> list[Connection]:
    return [each for each in _pool._open[connection._server] if not each.closed]


def _ask_once(_: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        found: int = cursor.fetchone()[0]
    connection.close()
    return found


def test_threads_that_begin_at_once_open_no_more_connections_than_they_may() -> None:
    connection.close()
    connection.close_pool()

    served = at_once(20, _ask_once)

    assert len(set(served)) <= MOST
    assert len(_open_now()) <= MOST


def test_connections_that_could_not_be_opened_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        with contextlib.suppress(OperationalError), connection.cursor():
            pytest.fail("it should not have been opened")

    connection.close()
    with monkeypatch.context() as wrong:
        wrong.setitem(connection.settings_dict, "OPTIONS", {"options": "-c no_such_setting=1"})
        connection.close_pool()
        at_once(MOST, fail)

    assert _pool._opening[connection._server] == 0


def test_one_that_is_closed_inside_a_block_goes_to_nobody_else() -> None:
    with contextlib.suppress(transaction.TransactionManagementError), transaction.atomic():
        connection.ensure_connection()
        mine = connection.connection
        connection.close()

    assert mine.closed
