"""Wakes the sockets of this process when a channel they follow has news.

Hints come from whoever appended: every web process is a member of one group of the channel layer, and hears of many
channels in one message. Redis only hints: channels-redis drops messages over its capacity and forgets groups after a
flush. So PostgreSQL is asked every 2 s, in one query, how far the followed channels have come; a lost hint costs a
socket 2 s and no event (docs/adr/0006).
"""

import asyncio
from collections import defaultdict
from typing import Protocol

import structlog
from channels.layers import get_channel_layer
from django.conf import settings

from wedsync.database.threads import in_thread
from wedsync.live.fan_out.hints import LIVE_GROUP, channel_key
from wedsync.live.log.reader import ChannelKey, last_sequences

log = structlog.get_logger(__name__)
REJOIN_SECONDS = 30.0  # after Redis was emptied, its groups have no members


class Listener(Protocol):
    """A socket that follows channels."""

    def wake(self, place: ChannelKey, last: int | None) -> None:
        """Told how far a channel has come; ``None``: further than before."""


class Follower:
    """All sockets of this process, by channel."""

    def __init__(self) -> None:
        self._listeners: dict[ChannelKey, set[Listener]] = defaultdict(set)
        self._places: dict[str, ChannelKey] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._address = ""
        self._joined = asyncio.Event()

    async def listen(self) -> None:
        """Begin to hear hints, if this process does not yet; waits a second at most."""
        if not self._tasks or any(task.done() for task in self._tasks):
            await self._begin()
        try:
            await asyncio.wait_for(self._joined.wait(), timeout=1)
        except TimeoutError:
            log.warning("hints_unavailable", error="Redis did not answer in time")

    async def _begin(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._address = await get_channel_layer().new_channel()
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(each) for each in (self._ask(), self._stay_in_group(), self._hear())]

    def add(self, place: ChannelKey, listener: Listener) -> None:
        """Begin to tell a listener about a channel."""
        self._listeners[place].add(listener)
        self._places[channel_key(*place)] = place

    def remove(self, place: ChannelKey, listener: Listener) -> None:
        """Stop telling a listener about a channel."""
        self._listeners[place].discard(listener)
        if not self._listeners[place]:
            del self._listeners[place]
            self._places.pop(channel_key(*place), None)

    async def _ask(self) -> None:
        while True:
            await asyncio.sleep(settings.FOLLOW_SECONDS)
            if not self._listeners:
                continue
            try:
                positions = await in_thread(last_sequences, list(self._listeners))
            except Exception as error:  # PostgreSQL is away; the next round asks again
                log.warning("follower_failed", error=type(error).__name__)
                continue
            for place, last in positions.items():
                self._wake(place, last)

    async def _stay_in_group(self) -> None:
        while True:
            try:
                await asyncio.wait_for(get_channel_layer().group_add(LIVE_GROUP, self._address), timeout=5)
            except Exception as error:  # without Redis the log is asked all the same
                log.warning("hints_unavailable", error=type(error).__name__)
            self._joined.set()
            await asyncio.sleep(REJOIN_SECONDS)

    async def _hear(self) -> None:
        while True:
            message = await get_channel_layer().receive(self._address)
            for heard in message["channels"]:
                if place := self._places.get(heard):
                    self._wake(place, None)

    def _wake(self, place: ChannelKey, last: int | None) -> None:
        for listener in tuple(self._listeners.get(place, ())):
            listener.wake(place, last)


follower = Follower()
