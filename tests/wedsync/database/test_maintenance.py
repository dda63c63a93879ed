"""Commands of an operator wait for locks only for a moment, and may begin again."""

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from django.db import OperationalError, connection, models

from wedsync.database import maintenance, sessions
from wedsync.database.sessions import Role
from wedsync.live.models import ChannelEvent

pytestmark = pytest.mark.django_db(transaction=True)
LEFT_OVER = models.Index(fields=["type"], name="event_by_type_for_a_test")


@pytest.fixture
def other() -> Iterator[psycopg2.extensions.connection]:
    """A session of somebody else's."""
    given = connection.get_connection_params()
    for name in ("cursor_factory", "client_encoding"):
        given.pop(name, None)
    with closing(psycopg2.connect(**given)) as found:
        yield found


@pytest.fixture(autouse=True)
def of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_process_role", Role.SERVICE)


def _lock_the_table(_: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
        cursor.execute("ALTER TABLE live_ticket ALTER COLUMN expires_at SET NOT NULL")


def test_migrate_begins_again_where_somebody_holds_a_lock(other: psycopg2.extensions.connection) -> None:
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE live_ticket IN ACCESS SHARE MODE")
    waits: list[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            other.rollback()

    maintenance.run(_lock_the_table, ["manage.py", "migrate"], pause)

    assert waits == [1.0, 2.0]
    connection.close()


def test_a_lock_that_never_comes_free_is_told_in_the_end(other: psycopg2.extensions.connection) -> None:
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE live_ticket IN ACCESS SHARE MODE")
    waits: list[float] = []

    with pytest.raises(OperationalError, match="lock timeout"):
        maintenance.run(_lock_the_table, ["manage.py", "migrate"], waits.append)

    assert waits == list(maintenance.PAUSES)
    connection.close()


def test_what_fails_for_another_reason_is_not_repeated() -> None:
    def fail(_: list[str]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column")

    with pytest.raises(Exception, match="no_such_column"):
        maintenance.run(fail, ["manage.py", "migrate"], lambda _: pytest.fail("it waited"))


@pytest.mark.parametrize("left", ["nothing", "a broken one", "a whole one"])
def test_an_index_that_an_earlier_try_left_behind_is_built_once_more(left: str) -> None:
    name = LEFT_OVER.name
    with connection.schema_editor(atomic=False) as editor:
        if left != "nothing":
            editor.add_index(ChannelEvent, LEFT_OVER, concurrently=True)
        if left == "a broken one":
            editor.execute(f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{name}'::regclass", None)
        editor.add_index(ChannelEvent, LEFT_OVER, concurrently=True)

    with connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = %s::regclass", [name])
        assert cursor.fetchall() == [(True,)]
        cursor.execute(f"DROP INDEX {name}")
