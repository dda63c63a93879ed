"""Clients that read nothing are cut off, so that the data written for them does not fill the memory."""

import asyncio
import time
from typing import Protocol

import structlog
from django.conf import settings

from wedsync.live.close_codes import CloseCode

log = structlog.get_logger(__name__)
LOOK_EVERY = 1.0  # seconds
CLIENTS_AT_ONCE = 500  # looked at before other work gets its turn


class Connection(Protocol):
    """A client's connection, of any transport."""

    @property
    def unsent(self) -> int:
        """Bytes written that the kernel has not accepted yet."""

    @property
    def taken(self) -> int:
        """Bytes that the kernel has accepted since the start."""

    def cut_off(self, code: CloseCode, reason: str) -> None:
        """End immediately, dropping what is unsent."""


class SlowReaders:
    """All connections of this process; of those with unsent bytes, how many they had taken and when."""

    def __init__(self) -> None:
        self._connections: set[Connection] = set()
        self._stuck: dict[Connection, tuple[int, float]] = {}
        self._task: asyncio.Task[None] | None = None

    def add(self, connection: Connection) -> None:
        """Start watching a connection."""
        self._connections.add(connection)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._watch())

    def remove(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        self._connections.discard(connection)
        self._stuck.pop(connection, None)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self._look()

    async def _look(self) -> None:
        for number, connection in enumerate(tuple(self._connections), 1):
            self._look_at(connection, time.monotonic())
            if number % CLIENTS_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _look_at(self, connection: Connection, now: float) -> None:
        unsent = connection.unsent
        if not unsent:
            self._stuck.pop(connection, None)
            return
        taken = connection.taken
        before, since = self._stuck.setdefault(connection, (taken, now))
        if taken > before:
            self._stuck[connection] = taken, now
        elif now - since >= settings.SLOW_READER_SECONDS:
            log.info("socket_too_slow", unsent=unsent)
            self.remove(connection)
            connection.cut_off(CloseCode.SLOW, "the waiting data was not read")


slow_readers = SlowReaders()
