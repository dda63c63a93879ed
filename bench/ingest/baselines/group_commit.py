"""(b) Group commit: one task inserts all waiting requests with one statement, and wakes them after its commit."""

import asyncio

import asyncpg

from bench.ingest.baselines.bare import BareEndpoint, connected

INSERT = "INSERT INTO group_commit (body) SELECT unnest($1::bytea[])"
Waiting = tuple[bytes, "asyncio.Future[None]"]


class GroupCommit(BareEndpoint):
    """While one batch commits, the next one collects."""

    _pool: "asyncpg.Pool[asyncpg.Record]"
    _flusher: "asyncio.Task[None]"

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []
        self._came = asyncio.Event()

    async def open(self) -> None:
        """Connect, and start the flusher."""
        self._pool = await connected(1)
        self._flusher = asyncio.create_task(self._flush())

    async def store(self, body: bytes) -> None:
        """Join the next batch."""
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((body, committed))
        self._came.set()
        await committed

    async def _flush(self) -> None:
        async with self._pool.acquire() as connection:
            while True:
                await self._came.wait()
                self._came.clear()
                batch, self._waiting = self._waiting, []
                await connection.execute(INSERT, [body for body, _ in batch])
                for _, committed in batch:
                    if not committed.done():
                        committed.set_result(None)

    async def close(self) -> None:
        """End the flusher, disconnect."""
        self._flusher.cancel()
        await asyncio.gather(self._flusher, return_exceptions=True)
        await self._pool.close()


application = GroupCommit()
