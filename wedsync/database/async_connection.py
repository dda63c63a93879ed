"""PostgreSQL from asyncio without a thread: psycopg2's asynchronous connections, driven by the event loop.

A thread that waits for PostgreSQL has to get the interpreter's lock back from the event loop each time; under load
that costs more than the query (docs/adr/0021). Everything else uses Django's own connections.
"""

import asyncio
import contextlib
import itertools
import re
from collections.abc import Sequence
from typing import Any

import psycopg2
from django.db import connections
from psycopg2 import extensions

from wedsync.database import sessions
from wedsync.database.errors import AWAY_CODES
from wedsync.database.sessions import Role

Row = tuple[Any, ...]
STATEMENT_DEADLINE = 10.0  # seconds that one statement may take before its connection is given up


class AsyncConnection:
    """One connection, for one statement at a time; opened when first needed, and again after it broke.

    Each statement is its own transaction. It is prepared the first time, so that it is planned once.
    """

    def __init__(self) -> None:
        self._connection: extensions.connection | None = None
        self._prepared: dict[str, str] = {}

    async def fetch(self, sql: str, parameters: Sequence[object]) -> list[Row]:
        """Run one statement with ``%s`` placeholders, typed by casts, and commit; returns its rows.

        Raises:
            psycopg2.Error: PostgreSQL's own error.
            psycopg2.OperationalError: also after ten seconds without an answer; it may still have been committed.
        """
        try:
            async with asyncio.timeout(STATEMENT_DEADLINE):
                return await self._fetch(sql, parameters)
        except TimeoutError as error:
            self.close()
            raise psycopg2.OperationalError("PostgreSQL did not answer in time") from error
        except asyncio.CancelledError:
            self.close()
            raise
        except psycopg2.Error as error:
            if error.pgcode is None or self._connection is None or self._connection.closed:
                self.close()
            if error.pgcode in AWAY_CODES:
                raise psycopg2.OperationalError(*error.args) from error
            raise

    async def _fetch(self, sql: str, parameters: Sequence[object]) -> list[Row]:
        connection = self._connection or await self._connect()
        name = self._prepared.get(sql) or await self._prepare(connection, sql)
        places = f" ({', '.join(['%s'] * len(parameters))})" if parameters else ""
        cursor = await _run(connection, f"EXECUTE {name}{places}", parameters)
        return cursor.fetchall()

    async def _connect(self) -> extensions.connection:
        given = connections["default"].get_connection_params()
        for name in ("cursor_factory", "client_encoding"):  # Django's own parameters, which libpq does not know
            given.pop(name, None)
        connection: extensions.connection = psycopg2.connect(**given, async_=True)
        self._connection, self._prepared = connection, {}
        await _finished(connection)
        await self._set_limits(connection)
        await _run(connection, "SET plan_cache_mode = force_generic_plan")
        return connection

    async def _set_limits(self, connection: extensions.connection) -> None:
        try:
            await _run(connection, sessions.statement(Role.SERVICE))
        except psycopg2.Error as error:
            if error.pgcode is None or connection.closed:
                raise
            for each in sessions.statements(Role.SERVICE):
                with contextlib.suppress(psycopg2.DatabaseError):  # the server lacks it; a broken connection fails next
                    await _run(connection, each)

    async def _prepare(self, connection: extensions.connection, sql: str) -> str:
        name = f"statement_{len(self._prepared)}"
        numbers = itertools.count(1)
        numbered = re.sub("%s", lambda _: f"${next(numbers)}", sql)
        await _run(connection, f"PREPARE {name} AS {numbered}")
        self._prepared[sql] = name
        return name

    def close(self) -> None:
        """Close the connection; the next statement opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg2.Error):
                connection.close()


async def _run(connection: extensions.connection, sql: str, parameters: Sequence[object] = ()) -> extensions.cursor:
    """Run a statement to its end. The cursor must live until then."""
    cursor = connection.cursor()
    cursor.execute(sql, parameters or None)
    await _finished(connection)
    return cursor


async def _finished(connection: extensions.connection) -> None:
    """Wait until the connection has finished its work.

    https://www.psycopg.org/docs/advanced.html#asynchronous-support
    """
    loop = asyncio.get_running_loop()
    while (state := connection.poll()) != extensions.POLL_OK:
        ready = loop.create_future()
        file = connection.fileno()
        watch, unwatch = (
            (loop.add_reader, loop.remove_reader)
            if state == extensions.POLL_READ
            else (loop.add_writer, loop.remove_writer)
        )
        watch(file, _wake, ready)
        try:
            await ready
        finally:
            unwatch(file)


def _wake(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)
