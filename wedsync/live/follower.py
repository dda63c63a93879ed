"""Asks PostgreSQL every 2 s, in one query, how far the followed channels have come.

Redis only hints: channels-redis drops messages over its capacity and forgets groups after a flush. So a lost hint
costs a socket 2 s and no event (docs/adr/0006).
"""

import asyncio
from collections import defaultdict
from typing import Protocol
from uuid import UUID

import structlog
from django.conf import settings

from wedsync.live.reading import last_sequences
from wedsync.threads import in_thread

log = structlog.get_logger(__name__)


class Listener(Protocol):
    """A socket that follows channels."""

    def wake(self, channel_id: UUID, last: int) -> None:
        """Told how far a channel has come."""


class Follower:
    """All sockets of this process, by channel."""

    def __init__(self) -> None:
        self._listeners: dict[UUID, set[Listener]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    def add(self, channel_id: UUID, listener: Listener) -> None:
        """Begin to tell a listener about a channel."""
        self._listeners[channel_id].add(listener)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def remove(self, channel_id: UUID, listener: Listener) -> None:
        """Stop telling a listener about a channel."""
        self._listeners[channel_id].discard(listener)
        if not self._listeners[channel_id]:
            del self._listeners[channel_id]

    async def _run(self) -> None:
        while self._listeners:
            await asyncio.sleep(settings.FOLLOW_SECONDS)
            try:
                positions = await in_thread(last_sequences, list(self._listeners))
            except Exception as error:  # PostgreSQL is away; the next round asks again
                log.warning("follower_failed", error=type(error).__name__)
                continue
            for channel_id, last in positions.items():
                for listener in tuple(self._listeners.get(channel_id, ())):
                    listener.wake(channel_id, last)


follower = Follower()
