"""Tells the clients of this process what is new on the channels that they follow.

New entries are read once per channel, however many clients follow it, and the same bytes are written to every client
whose cursor is just before them; a client that is behind, or has no room, catches up from the log (docs/adr/0091).

Hints come from the process that appended: every web process belongs to one group of the channel layer, and one message
names many channels. Redis only hints: channels-redis drops messages over its capacity and forgets groups after a
flush. So PostgreSQL is asked every 2 s, in one query, for the positions of the followed channels; a lost hint costs a
client 2 s and no event (docs/adr/0006).
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import structlog
from channels.layers import get_channel_layer
from django.conf import settings

from wedsync.database.async_connection import AsyncConnection
from wedsync.live import metrics, threads
from wedsync.live.fan_out.hints import LIVE_GROUP, channel_key
from wedsync.live.fan_out.replays import Replays
from wedsync.live.fan_out.subscriptions import MOST_UNSENT, Batch, Subscription
from wedsync.live.log.new_entries import NewEntries
from wedsync.live.log.reader import ChannelKey, fetch_entries_after
from wedsync.live.presence.followers import followers

log = structlog.get_logger(__name__)
REJOIN_SECONDS = 30.0  # a flush of Redis empties its groups
PAGE = 32  # entries of one channel per read
CHANNELS_AT_ONCE = 200  # channels per read
CLIENTS_AT_ONCE = 16  # clients written to before other work gets its turn (docs/adr/0097)
AGAIN_SECONDS = 1.0  # after PostgreSQL was away


class Broadcaster:
    """All subscriptions of this process, by channel."""

    def __init__(self) -> None:
        self._subscriptions: dict[ChannelKey, set[Subscription]] = defaultdict(set)
        self._positions: dict[ChannelKey, int] = {}
        self._keys: dict[str, ChannelKey] = {}
        self._changed: dict[ChannelKey, float | None] = {}
        self._has_changes = asyncio.Event()
        self._replays = Replays(self._positions.get)
        self._log = AsyncConnection()
        self._new_entries = NewEntries()
        self._tasks: list[asyncio.Task[None]] = []
        self._address = ""
        self._joined = asyncio.Event()
        self.when_told: dict[str, Callable[[dict[str, Any]], None]] = {}
        """What to do with messages to all web processes that are no hints, by their type."""

    async def listen(self) -> None:
        """Start receiving hints, if this process does not yet; waits one second at most."""
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
        works = (self._poll(), self._stay_in_group(), self._receive_hints(), self._write_changes())
        self._tasks = [loop.create_task(each) for each in works]

    def add(self, subscription: Subscription, last: int) -> None:
        """Start telling a client about a channel. ``last``: the channel's position a moment ago."""
        key = subscription.key
        followers.add(key, subscription.client.bearer.person)
        self._subscriptions[key].add(subscription)
        self._keys[channel_key(*key)] = key
        metrics.subscriptions.inc()
        if subscription.cursor < self._positions.setdefault(key, last):
            metrics.replayed_events.observe(self._positions[key] - subscription.cursor)
            self._replays.add(subscription)
        self._note(key)  # there may be new entries since

    def remove(self, subscription: Subscription) -> None:
        """Stop telling a client about a channel."""
        subscription.ended = True
        metrics.subscriptions.dec()
        key = subscription.key
        followers.remove(key, subscription.client.bearer.person)
        self._subscriptions[key].discard(subscription)
        if not self._subscriptions[key]:
            del self._subscriptions[key]
            self._keys.pop(channel_key(*key), None)
            self._positions.pop(key, None)

    def _note(self, key: ChannelKey, hinted_at: float | None = None) -> None:
        """There may be something new. ``hinted_at``: when the first hint of it was sent, in Unix seconds."""
        if self._changed.get(key) is None:
            self._changed[key] = hinted_at
        self._has_changes.set()

    async def _poll(self) -> None:
        """Find what a lost hint would have named."""
        while True:
            await asyncio.sleep(settings.FOLLOW_SECONDS)
            if not self._subscriptions:
                self._new_entries.forget()
                continue
            try:
                found = await threads.new_entries.run(self._new_entries.ask, list(self._subscriptions))
            except Exception as error:  # PostgreSQL is away; the next round asks again
                log.warning("follower_failed", error=type(error).__name__)
                continue
            for key, last in found.items():
                if last > self._positions.get(key, last):
                    metrics.hints_lost.inc()
                    self._note(key)

    async def _stay_in_group(self) -> None:
        while True:
            try:
                await asyncio.wait_for(get_channel_layer().group_add(LIVE_GROUP, self._address), timeout=5)
            except Exception as error:  # without Redis, the log is still queried
                log.warning("hints_unavailable", error=type(error).__name__)
            self._joined.set()
            await asyncio.sleep(REJOIN_SECONDS)

    async def _receive_hints(self) -> None:
        while True:
            message = await get_channel_layer().receive(self._address)
            if told := self.when_told.get(message["type"]):
                told(message)
                continue
            for named in message["channels"]:
                if key := self._keys.get(named):
                    self._note(key, message.get("sent_at"))

    async def _write_changes(self) -> None:
        """Read what is new and write it to the clients concerned, as long as the process lives."""
        while True:
            await self._has_changes.wait()
            self._has_changes.clear()
            changed = [(key, hinted_at) for key, hinted_at in self._changed.items() if key in self._positions]
            self._changed.clear()
            for start in range(0, len(changed), CHANNELS_AT_ONCE):
                asked = dict(changed[start : start + CHANNELS_AT_ONCE])
                try:
                    await self._write_changes_of(asked)
                except Exception as error:  # PostgreSQL is away
                    log.warning("entries_not_read", error=type(error).__name__)
                    await asyncio.sleep(AGAIN_SECONDS)
                    for key, hinted_at in asked.items():
                        self._note(key, hinted_at)

    async def _write_changes_of(self, asked: dict[ChannelKey, float | None]) -> None:
        cursors = {key: self._positions[key] for key in asked if key in self._positions}
        for key, entries in (await fetch_entries_after(self._log, cursors, PAGE)).items():
            batch = Batch(entries)
            if batch.last <= self._positions.get(key, batch.last):
                continue  # nobody follows it now, or only a client that has returned since and is further ahead
            if len(entries) == PAGE:
                self._note(key)
            self._positions[key] = batch.last
            written = 0
            for number, subscription in enumerate(tuple(self._subscriptions[key]), 1):
                written += self._write_to(subscription, batch)
                if number % CLIENTS_AT_ONCE == 0:
                    await asyncio.sleep(0)
            metrics.events_written.inc(written)
            if (hinted_at := asked[key]) is not None:
                metrics.fan_out_seconds.observe(max(0.0, time.time() - hinted_at))

    def _write_to(self, subscription: Subscription, batch: Batch) -> int:
        """Write what a client does not have; returns how many events."""
        if subscription.is_behind or subscription.cursor >= batch.last or not subscription.is_active:
            return 0
        client = subscription.client
        frames = batch.after(subscription.cursor, client.framing) if subscription.cursor >= batch.before else b""
        if not frames or client.unsent + len(frames) > MOST_UNSENT:
            self._replays.add(subscription)
            return 0
        client.write(frames)
        written, subscription.cursor = batch.last - subscription.cursor, batch.last
        return written


broadcaster = Broadcaster()
