"""Sockets that follow no channel are closed after a while, so that nobody holds a slot that others could use."""

import asyncio
import time
from typing import Protocol

import structlog
from django.conf import settings

from wedsync.live.close_codes import CloseCode

log = structlog.get_logger(__name__)
LOOK_EVERY = 1.0  # seconds


class Endable(Protocol):
    """A socket."""

    def end(self, code: CloseCode, reason: str) -> None:
        """Close it."""


class IdleSockets:
    """The sockets of this process that follow nothing, and since when: those for longest come first."""

    def __init__(self) -> None:
        self._since: dict[Endable, float] = {}
        self._task: asyncio.Task[None] | None = None

    def note(self, socket: Endable, *, follows: bool) -> None:
        """Whether a socket follows a channel now."""
        if follows:
            self._since.pop(socket, None)
            return
        self._since.setdefault(socket, time.monotonic())
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._watch())

    def remove(self, socket: Endable) -> None:
        """Forget a socket that has ended."""
        self._since.pop(socket, None)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            self.look(time.monotonic())

    def look(self, now: float) -> None:
        """Close those that have followed nothing for too long."""
        while self._since:
            socket, since = next(iter(self._since.items()))
            if now - since < settings.IDLE_SOCKET_SECONDS:
                return
            self.remove(socket)
            log.info("socket_idle")
            socket.end(CloseCode.IDLE, "it follows no channel")


idle_sockets = IdleSockets()
