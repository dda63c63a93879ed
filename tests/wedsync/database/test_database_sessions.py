"""What PostgreSQL's sessions are told, so that none that is dead or stands still keeps its locks."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings
from django.db import OperationalError, connection, connections, transaction
from django.db.utils import load_backend
from django.test import Client

from tests.at_once import at_once
from tests.polling import until
from tests.ports import free_port
from wedsync.database import sessions
from wedsync.database.async_connection import AsyncConnection
from wedsync.database.connection_settings import database
from wedsync.database.errors import POSTGRES_AWAY, code_of
from wedsync.database.pooled.base import DatabaseWrapper
from wedsync.database.sessions import Role
from wedsync.runner import runtime
from wedsync.runner.embedded import EmbeddedPostgres
from wedsync.runner.home import Home

pytestmark = pytest.mark.django_db(transaction=True)
DEAD_ENDS = {
    "client_connection_check_interval": "5s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "15000",  # milliseconds
}
BY_ROLE = {
    Role.SERVICE: {
        "idle_in_transaction_session_timeout": "10s", "lock_timeout": "0", "statement_timeout": "0",
    },
    Role.SWEEP: {
        "idle_in_transaction_session_timeout": "10s", "lock_timeout": "2s", "statement_timeout": "0",
    },
    Role.PAGES: {
        "idle_in_transaction_session_timeout": "10s", "lock_timeout": "0", "statement_timeout": "15s",
    },
    Role.MAINTENANCE: {
        "idle_in_transaction_session_timeout": "0", "lock_timeout": "5s", "statement_timeout": "0",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def over_tcp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL on a port: over a Unix socket it ignores what speaks of TCP."""
    home = Home(tmp_path_factory.mktemp("tcp") / "home")
    home.create()
    postgres = EmbeddedPostgres(home, durable=False, tcp_port=free_port())
    postgres.start()
    yield postgres.url
    postgres.stop()
    runtime.remove(home.runtime())
    shutil.rmtree(home.path, ignore_errors=True)


def wrapper(url: str) -> DatabaseWrapper:
    """A connection of Django's to another server, through the pool."""
    given = connections.configure_settings({"default": database(url)})["default"]
    return load_backend(given["ENGINE"]).DatabaseWrapper(given, "default")


def told(by: DatabaseWrapper) -> dict[str, str]:
    with by.cursor() as cursor:
        names = [*DEAD_ENDS, *BY_ROLE[Role.SERVICE]]
        cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in names))
        return dict(zip(names, cursor.fetchone(), strict=True))


@pytest.mark.parametrize("role", Role)
def test_each_session_is_told_when_it_ends_by_what_it_is_used_for(over_tcp: str, role: Role) -> None:
    def ask(_: int) -> dict[str, str]:
        sessions.become(role)
        own = wrapper(over_tcp)
        with closing(own):
            found = told(own)
        own.close_pool()
        return found

    assert at_once(1, ask) == [DEAD_ENDS | BY_ROLE[role]]


def test_our_own_end_notices_a_server_that_has_vanished_too(over_tcp: str) -> None:
    own = wrapper(over_tcp)
    own.ensure_connection()
    said = own.connection.get_dsn_parameters()
    own.close()
    own.close_pool()

    expected = {name: str(value) for name, value in sessions.LIBPQ.items()}
    assert {name: said.get(name) for name in expected} == expected
    assert not said.get("options"), "a pooler refuses them"


def test_the_receivers_own_connections_are_told_the_same() -> None:
    async def ask() -> list[tuple[str, ...]]:
        own = AsyncConnection()
        try:
            return await own.fetch(
                "SELECT current_setting('idle_in_transaction_session_timeout'),"
                " current_setting('client_connection_check_interval') WHERE %s::int = 1",
                [1],
            )
        finally:
            own.close()

    assert asyncio.run(ask()) == [("10s", "5s")]


def test_a_server_without_one_of_the_settings_is_told_all_others(
    over_tcp: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sessions._ALL, "no_such_setting", "1")
    own = wrapper(over_tcp)
    with closing(own):
        found = told(own)
    own.close_pool()

    assert found == DEAD_ENDS | BY_ROLE[Role.SERVICE]


def test_connections_for_pages_go_to_no_other_thread() -> None:
    def pid(number: int) -> int:
        sessions.become(Role.PAGES if number else Role.SERVICE)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            found: int = cursor.fetchone()[0]
        connection.close()
        return found

    connection.close_pool()
    (page,) = at_once(1, lambda _: pid(1))
    (service,) = at_once(1, lambda _: pid(0))
    (again,) = at_once(1, lambda _: pid(1))

    assert page == again != service
    connection.close_pool()


def _let_it_time_out() -> None:
    """Stand still inside a transaction until PostgreSQL ends the session."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '100ms'")
        cursor.execute("SELECT pg_backend_pid()")
        ((pid,),) = cursor.fetchall()
    with closing(psycopg2.connect(settings.DATABASES["default"]["NAME"] and _url())) as other:
        other.autocommit = True

        def gone() -> bool:
            with other.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid])
                return cursor.fetchone() is None

        until(gone, what="the end of the session")


def _url() -> str:
    given = {key: value for key, value in connection.get_connection_params().items() if isinstance(value, str | int)}
    given.pop("client_encoding", None)
    return psycopg2.extensions.make_dsn(**given)


def test_a_session_that_was_ended_for_standing_still_counts_as_postgresql_being_away() -> None:
    with pytest.raises(OperationalError) as raised, transaction.atomic():
        _let_it_time_out()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    assert isinstance(raised.value, POSTGRES_AWAY)
    assert code_of(raised.value) in {"25P03", None}
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,), "the next one gets another session"


def test_a_server_that_only_reads_counts_as_away(client: Client) -> None:
    with pytest.raises(OperationalError) as raised, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        cursor.execute("CREATE TABLE not_here (id int)")

    assert code_of(raised.value) == "25006"


def test_the_receivers_connection_says_away_too_where_the_server_only_reads() -> None:
    async def write() -> None:
        own = AsyncConnection()
        try:
            await own.fetch("SELECT set_config('default_transaction_read_only', %s::text, false)", ["on"])
            await own.fetch("DELETE FROM django_session WHERE session_key = %s::text RETURNING session_key", ["x"])
        finally:
            own.close()

    with pytest.raises(psycopg2.OperationalError):
        asyncio.run(write())


@pytest.mark.parametrize("words", [["migrate"], ["shell"], ["dumpdata"], ["dbshell"], []])
def test_an_operators_command_may_stand_still_and_a_process_of_ours_may_not(
    words: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from wedsync.database import maintenance

    seen: list[Role] = []
    monkeypatch.setattr(sessions, "_process_role", Role.SERVICE)

    maintenance.run(lambda _: seen.append(sessions.role()), ["manage.py", *words])
    assert seen == [Role.MAINTENANCE]

    monkeypatch.setattr(sessions, "_process_role", Role.SERVICE)
    maintenance.run(lambda _: seen.append(sessions.role()), ["manage.py", "sweep", "--loop"])
    assert seen[-1] == Role.SERVICE
