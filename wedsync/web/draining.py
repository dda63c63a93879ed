"""Ends a web process's long-lived connections before the process, so that their clients move on one by one.

If all came back at the same moment, the other processes would have to serve them at once (docs/adr/0098).
"""

import asyncio
import contextlib
import random
from typing import Any, Protocol

import structlog

log = structlog.get_logger(__name__)
SPREAD_SECONDS = 10.0  # at least, over which the clients of one process come back
SHORTEST_PAUSE, LEAST_SPREAD = 0.5, 1.0  # seconds
CLOSING_SECONDS = 6.0  # for the closing handshakes; sockets cut off after 5 s
_CLOSE = (b"connection", b"close")


class LongLived(Protocol):
    """A socket or a stream."""

    def ask_to_reconnect(self, pause: float) -> None:
        """End it; its client comes back after ``pause`` seconds. Called once."""


class Drain:
    """All long-lived connections of this process."""

    def __init__(self) -> None:
        self._open: set[LongLived] = set()
        self._closing: set[LongLived] = set()
        self._ends_at: float | None = None
        self._spread = SPREAD_SECONDS
        self._all_gone = asyncio.Event()

    @property
    def has_begun(self) -> bool:
        """Whether the process is about to end."""
        return self._ends_at is not None

    def add(self, connection: LongLived) -> None:
        """A connection was opened; one that comes while the process is about to end stays for a moment too."""
        self._open.add(connection)
        if self._ends_at is not None:
            self._end_later(connection, self._ends_at)

    def remove(self, connection: LongLived) -> None:
        """The connection is gone: the closing handshake is complete, or it broke."""
        self._open.discard(connection)
        self._closing.discard(connection)
        if not self._open and not self._closing:
            self._all_gone.set()

    async def run(self, seconds: float) -> None:
        """End all connections at random moments of this time, and return once they are gone or it is too late.

        Called again, it ends those that came meanwhile.
        """
        if self._open:
            log.info("draining", connections=len(self._open), seconds=seconds)
        loop = asyncio.get_running_loop()
        self._ends_at, self._spread = loop.time() + seconds, max(LEAST_SPREAD, SPREAD_SECONDS - seconds)
        for connection in tuple(self._open):
            self._end_later(connection, self._ends_at)
        await asyncio.sleep(seconds)
        if self._open or self._closing:
            self._all_gone.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_gone.wait(), CLOSING_SECONDS)

    def _end_later(self, connection: LongLived, latest: float) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(random.uniform(0, max(0.0, latest - loop.time())), self._end, connection)

    def _end(self, connection: LongLived) -> None:
        if connection in self._open:
            self._open.discard(connection)
            self._closing.add(connection)
            connection.ask_to_reconnect(round(random.uniform(SHORTEST_PAUSE, SHORTEST_PAUSE + self._spread), 1))


drain = Drain()


def moving_senders_on(application: Any) -> Any:
    """The ASGI application; once the process is about to end, each answer closes its connection.

    A sender that keeps its connection would otherwise send its next request as the process closes it.
    """

    async def moving_on(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not drain.has_begun:
            await application(scope, receive, send)
            return

        async def closing(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [pair for pair in message.get("headers", ()) if pair[0].lower() != _CLOSE[0]]
                message = {**message, "headers": [*headers, _CLOSE]}
            await send(message)

        await application(scope, receive, closing)

    return moving_on
