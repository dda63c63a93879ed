"""A bare ASGI endpoint: reads the body, checks the HMAC, has it stored, answers 202 after the commit."""

import os
from abc import ABC, abstractmethod
from typing import Any

import asyncpg

from bench.ingest.baselines.signed import is_signed

DATABASE_URL = os.environ["DATABASE_URL"]
HEADER = b"x-venue-signature"
_JSON = (b"content-type", b"application/json")


class BareEndpoint(ABC):
    """Implement ``open``, ``store`` and ``close``."""

    @abstractmethod
    async def open(self) -> None:
        """Connect."""

    @abstractmethod
    async def store(self, body: bytes) -> None:
        """Return once the body is committed."""

    @abstractmethod
    async def close(self) -> None:
        """Disconnect."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request; a ``GET`` is answered once the server is ready."""
        if scope["type"] != "http":
            await self._live(receive, send)
            return
        if scope["method"] != "POST":
            await _answer(send, 200, b'{"status":"ready"}')
            return
        body = await _read(receive)
        header = next((value for name, value in scope["headers"] if name == HEADER), b"")
        if not is_signed(header, body):
            await _answer(send, 401, b'{"status":"refused"}')
            return
        await self.store(body)
        await _answer(send, 202, b'{"status":"accepted"}')

    async def _live(self, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            await (self.open() if message["type"] == "lifespan.startup" else self.close())
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


async def connected(size: int) -> "asyncpg.Pool[asyncpg.Record]":
    """A default pool of asyncpg, with all connections open from the beginning."""
    return await asyncpg.create_pool(DATABASE_URL, min_size=size, max_size=size)


async def _read(receive: Any) -> bytes:
    pieces = []
    while True:
        message = await receive()
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)


async def _answer(send: Any, status: int, content: bytes) -> None:
    headers = [_JSON, (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
