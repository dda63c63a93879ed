"""Clients that are behind read the log in turn, one page each, so that none delays the others or new entries."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import structlog

from wedsync.live import metrics, threads
from wedsync.live.close_codes import CloseCode
from wedsync.live.fan_out.subscriptions import Batch, Subscription
from wedsync.live.log.reader import ChannelKey, Entry, entries_after

log = structlog.get_logger(__name__)
PAGE_BYTES = 256 * 1024  # of one turn, and the most that may be unsent before the next
FIRST_PAGE, LARGEST_PAGE = 16, 100  # entries
AGAIN_SECONDS = 1.0  # after PostgreSQL was away
DROPPED = "what comes next is no longer kept; reconnect to learn what is"


class Replays:
    """All clients of this process that are behind.

    Arguments:
        position: the position of the clients that are not behind, by channel; ``None``: nobody follows it.
    """

    def __init__(self, position: Callable[[ChannelKey], int | None]) -> None:
        self._position = position
        self._turns: deque[Subscription] = deque()
        self._waiting = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, subscription: Subscription) -> None:
        """Let it catch up."""
        if not subscription.is_behind:
            subscription.is_behind = True
            self._queue(subscription)

    def _queue(self, subscription: Subscription) -> None:
        self._turns.append(subscription)
        self._waiting.set()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._serve())

    async def _serve(self) -> None:
        while True:
            await self._waiting.wait()
            if self._turns:
                await self._serve_next(self._turns.popleft())
            else:
                self._waiting.clear()

    async def _serve_next(self, subscription: Subscription) -> None:
        if not subscription.is_active:
            return
        if subscription.client.unsent > PAGE_BYTES:
            subscription.client.when_drained(partial(self._queue, subscription))
            return
        try:
            await self._take_turn(subscription)
        except Exception as error:  # PostgreSQL is away
            log.warning("entries_not_read", error=type(error).__name__)
            self._turns.append(subscription)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _take_turn(self, subscription: Subscription) -> None:
        key, cursor, asked = subscription.key, subscription.cursor, subscription.page
        entries = (await threads.replays.run(entries_after, {key: cursor}, asked)).get(key)
        if not subscription.is_active:
            return
        position = self._position(key)
        if not entries and (position is None or cursor >= position):
            subscription.is_behind = False
            return
        if not entries or entries[0].sequence > cursor + 1:
            subscription.client.end(CloseCode.BROKEN, DROPPED)
            return
        batch = Batch(_of_one_page(entries))
        frames = batch.after(cursor, subscription.client.framing)
        subscription.client.write(frames)
        metrics.events_written.inc(batch.last - cursor)
        subscription.cursor = batch.last
        subscription.page = max(1, min(LARGEST_PAGE, PAGE_BYTES * batch.count // len(frames)))
        if position is not None and subscription.cursor >= position:
            subscription.is_behind = False
        else:
            self._queue(subscription)


def _of_one_page(entries: Sequence[Entry]) -> Sequence[Entry]:
    """As many of the first entries as fit into a page, one at least."""
    room, fitting = PAGE_BYTES, 0
    for entry in entries:
        room -= len(entry.text)
        if room < 0 and fitting:
            break
        fitting += 1
    return entries[:fitting]
