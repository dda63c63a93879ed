"""Group commit: a few writers store many requests in batches, and wake each request when it is durable.

A failing batch is halved until the bad request is alone, so that it never fails its neighbours. The queue is bounded:
if PostgreSQL is slow, senders are told to retry instead of memory growing (docs/adr/0007, 0021).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

import psycopg2
import structlog
from psycopg2 import errors

from wedsync import correlation
from wedsync.database.async_connection import AsyncConnection
from wedsync.database.errors import write_refusals

log = structlog.get_logger(__name__)
WRITERS = 2
LARGEST_BATCH = 256
LARGEST_BYTES = 1024 * 1024
MANY = 64  # waiting requests that justify a second writer: each statement costs as much as ten requests
MOST_WAITING = 2_000
MOST_BYTES = 64 * 1024 * 1024
STOP_SECONDS = 10.0
ANSWER_WITHIN = 1.2  # seconds; an answer is promised within 2, and the look-up before may take 0.6
LOOK_EVERY = 0.1  # seconds between checks for requests that have waited too long
TRIES = 4
_WORTH_ANOTHER_TRY = (errors.DeadlockDetected, errors.SerializationFailure, errors.ForeignKeyViolation)

Item = TypeVar("Item")
Result = TypeVar("Result")


class StorageAway(Exception):
    """PostgreSQL is away, or too slow for the incoming requests: the sender must try again."""


class _Waiting(Generic[Item, Result]):
    """A request whose sender waits for the commit."""

    __slots__ = ("correlation_id", "future", "item", "size", "until")

    def __init__(self, item: Item, size: int, future: "asyncio.Future[Result]", until: float) -> None:
        self.item = item
        self.size = size
        self.future = future
        self.until = until
        self.correlation_id = correlation.current()


class Committer(Generic[Item, Result]):
    """The queue, and the writers that empty it, each with its own connection.

    ``store`` writes a batch durably and returns a result for each of its items.
    """

    def __init__(
        self, store: Callable[[AsyncConnection, Sequence[Item]], Awaitable[list[Result]]], *, writers: int = WRITERS
    ) -> None:
        self._store = store
        self._writers = writers
        self._queue: deque[_Waiting[Item, Result]] = deque()
        self._pending: deque[_Waiting[Item, Result]] = deque()  # queued or being written, oldest first
        self._idle: deque[asyncio.Future[None]] = deque()
        self._tasks: list[asyncio.Task[None]] = []
        self._watch: asyncio.Task[None] | None = None
        self._stopping = False
        self._bytes = 0

    def start(self) -> None:
        """Start the writers on the running event loop."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._write()) for _ in range(self._writers)]
        self._watch = loop.create_task(self._fail_late_requests())

    async def stop(self) -> None:
        """Write what is queued, then end; takes ten seconds at most."""
        self._stopping = True
        for idle in self._idle:
            _resolve(idle)
        _, late = await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
        for task in (*late, self._watch):
            if task:
                task.cancel()

    def submit(self, item: Item, size: int = 0) -> "asyncio.Future[Result]":
        """Queue an item. The future is done when the item is durable.

        Otherwise it fails: with :class:`StorageAway` after 1.3 s at most, or with the store's own error if the item
        cannot be stored.

        ``size``: the bytes that the item occupies in memory while it waits.

        Raises:
            StorageAway: the queue is full, or the process is about to end.
        """
        if self._stopping:
            raise StorageAway("the process is about to end")
        if len(self._queue) >= MOST_WAITING or self._bytes + size > MOST_BYTES:
            raise StorageAway("the queue is full")
        loop = asyncio.get_running_loop()
        waiting: _Waiting[Item, Result] = _Waiting(item, size, loop.create_future(), loop.time() + ANSWER_WITHIN)
        self._queue.append(waiting)
        self._bytes += size
        self._pending.append(waiting)
        if self._idle and (len(self._idle) == self._writers or len(self._queue) >= MANY):
            _resolve(self._idle.popleft())
        return waiting.future

    def offer(self, item: Item) -> None:
        """Queue an item that nobody waits for, while the queue is not half full."""
        if not self._stopping and len(self._queue) < MOST_WAITING // 2:
            self.submit(item).add_done_callback(_nobody_waits)

    async def _write(self) -> None:
        database = AsyncConnection()
        try:
            while batch := await self._next_batch():
                try:
                    await self._commit(database, batch)
                except Exception as error:  # a writer must survive any error: without it nobody is answered
                    with _about(batch):
                        log.exception("batch_not_settled", requests=len(batch))
                    _fail(batch, error)
        finally:
            database.close()

    async def _next_batch(self) -> list[_Waiting[Item, Result]]:
        """All waiting requests, up to a batch; waits for the first. Empty when the process ends."""
        while not self._queue:
            if self._stopping:
                return []
            idle: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._idle.append(idle)
            await idle
        batch: list[_Waiting[Item, Result]] = []
        size = 0
        while self._queue and len(batch) < LARGEST_BATCH and size < LARGEST_BYTES:
            batch.append(self._queue.popleft())
            size += batch[-1].size
        self._bytes -= size
        return batch

    async def _commit(self, database: AsyncConnection, batch: list[_Waiting[Item, Result]]) -> None:
        with _about(batch):
            settled = await self._settle(database, batch)
        if not settled:
            middle = len(batch) // 2
            await self._commit(database, batch[:middle])
            await self._commit(database, batch[middle:])

    async def _settle(self, database: AsyncConnection, batch: list[_Waiting[Item, Result]]) -> bool:
        """Store a batch and wake its senders; false if one of several cannot be stored and it is unknown which."""
        try:
            results = await self._store_patiently(database, [waiting.item for waiting in batch])
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            write_refusals.note(error)
            log.error("storage_away", error=type(error).__name__, reason=str(error).strip(), requests=len(batch))
            _fail(batch, StorageAway("PostgreSQL did not accept it"))
        except Exception as error:
            if len(batch) > 1:
                return False
            log.exception("request_not_storable", error=type(error).__name__)
            _fail(batch, error)
        else:
            for waiting, result in zip(batch, results, strict=True):
                if not waiting.future.done():
                    waiting.future.set_result(result)
        return True

    async def _store_patiently(self, database: AsyncConnection, items: Sequence[Item]) -> list[Result]:
        """Store items; try again if two writers collided, or if a row has been deleted meanwhile."""
        for _ in range(TRIES - 1):
            try:
                return await self._store(database, items)
            except _WORTH_ANOTHER_TRY:
                continue
        return await self._store(database, items)

    async def _fail_late_requests(self) -> None:
        """Check at intervals instead of a timer for each request; also wakes an idle writer if requests wait."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if self._queue and self._idle:  # the other writer may be stuck; do not let other requests wait for it
                _resolve(self._idle.popleft())
            while self._pending and (self._pending[0].future.done() or self._pending[0].until < loop.time()):
                _fail(
                    [self._pending.popleft()],
                    StorageAway("PostgreSQL took too long; a repetition does no harm"),
                )


def _about(batch: Sequence[_Waiting[Item, Result]]) -> AbstractContextManager[None]:
    """Log lines within this context name the requests of a batch."""
    return correlation.of_many([waiting.correlation_id for waiting in batch if waiting.correlation_id])


def _fail(batch: Sequence[_Waiting[Item, Result]], error: Exception) -> None:
    for waiting in batch:
        if not waiting.future.done():
            waiting.future.set_exception(error)


def _resolve(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def _nobody_waits(future: "asyncio.Future[Result]") -> None:
    if not future.cancelled():
        future.exception()
