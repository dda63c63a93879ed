"""(a) One INSERT, and so one commit, for each request, through a pool of connections."""

import asyncpg

from bench.ingest.baselines.bare import BareEndpoint, connected

POOL = 16
"""Connections. Of 4 to 32, four were slower; from 16 on, pools differed no more than two runs of the same one."""
INSERT = "INSERT INTO insert_per_request (body) VALUES ($1)"


class InsertPerRequest(BareEndpoint):
    """asyncpg prepares the statement once for each connection."""

    _pool: "asyncpg.Pool[asyncpg.Record]"

    async def open(self) -> None:
        """Connect."""
        self._pool = await connected(POOL)

    async def store(self, body: bytes) -> None:
        """Insert one row."""
        await self._pool.execute(INSERT, body)

    async def close(self) -> None:
        """Disconnect."""
        await self._pool.close()


application = InsertPerRequest()
