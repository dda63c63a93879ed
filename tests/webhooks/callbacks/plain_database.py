"""One plain psycopg2 connection to the test's database, as ``store_callbacks`` wants one."""

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg2
from django.db import connection

from webhooks.callbacks.storing import CallbackReceived, store_callbacks
from webhooks.committer import StorageAway


class PlainDatabase:
    """Each statement is a transaction of its own."""

    def __init__(self) -> None:
        given = connection.get_connection_params()
        given.pop("cursor_factory")
        self._connection = psycopg2.connect(**given)
        self._connection.autocommit = True

    async def fetch(self, sql: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        return await asyncio.to_thread(self._fetch, sql, parameters)

    def _fetch(self, sql: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall()

    def close(self) -> None:
        self._connection.close()


class StoringAtOnce:
    """A committer whose batches hold one request."""

    def __init__(self, database: PlainDatabase) -> None:
        self._database = database

    async def submit(self, item: CallbackReceived) -> int | None:
        try:
            (count,) = await store_callbacks(self._database, [item])
        except psycopg2.InterfaceError as error:
            raise StorageAway("the connection is closed") from error
        return count
