"""Clients that read nothing are cut off, so that the data written for them does not fill the memory."""

import asyncio
import time

import structlog
from django.conf import settings

from wedsync.live.close_codes import CloseCode
from wedsync.live.sockets.server_protocol import SocketProtocol

log = structlog.get_logger(__name__)
LOOK_EVERY = 1.0  # seconds


class SlowReaders:
    """All connections of this process, and since when those with unsent bytes have read nothing."""

    def __init__(self) -> None:
        self._taken: dict[SocketProtocol, tuple[int, float]] = {}
        self._task: asyncio.Task[None] | None = None

    def add(self, connection: SocketProtocol) -> None:
        """Start watching a connection."""
        self._taken[connection] = connection.taken, time.monotonic()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._watch())

    def remove(self, connection: SocketProtocol) -> None:
        """Forget a connection that has ended."""
        self._taken.pop(connection, None)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            self.look(time.monotonic())

    def look(self, now: float) -> None:
        """Cut off the clients that have read nothing for too long."""
        for connection, (before, since) in list(self._taken.items()):
            taken = connection.taken
            if taken > before or not connection.unsent:
                self._taken[connection] = taken, now
            elif now - since >= settings.SLOW_READER_SECONDS:
                log.info("socket_too_slow", unsent=connection.unsent)
                self.remove(connection)
                connection.cut_off(CloseCode.SLOW, "the waiting data was not read")


slow_readers = SlowReaders()
