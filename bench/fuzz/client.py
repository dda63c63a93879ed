"""A raw client: sends requests that no library would, and reads the answers."""

import asyncio
import json
from dataclasses import dataclass

from bench.fuzz.case import Case
from wedsync.runner.ports import LOCAL

PATIENCE = 20.0
"""Seconds for a whole answer."""
_ALONE_ABOVE = 32 * 1024
"""Bytes from which a request gets its own connection: it may be answered before all of it has been read."""


@dataclass(frozen=True)
class Answer:
    """An answer. ``closes``: the server closes the connection."""

    status: int
    content_type: str
    content: bytes
    closes: bool

    def json(self) -> dict[str, object] | None:
        """The content, if it is a JSON object."""
        try:
            found = json.loads(self.content)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None


class Client:
    """A client with one connection at a time, kept while the server keeps it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, case: Case) -> Answer | None:
        """Send a request; returns the answer, or ``None`` if there was none."""
        alone = not case.well_formed or len(case.raw) > _ALONE_ABOVE
        if alone:
            await self.close()
        if self._open is None:
            self._open = await asyncio.open_connection(LOCAL, self._port)
        reader, writer = self._open
        answer = None
        try:
            async with asyncio.timeout(PATIENCE):
                writer.write(case.raw)
                if not case.well_formed:
                    writer.write_eof()
                answer = await _read(reader, head=case.head)
        except (OSError, asyncio.IncompleteReadError, TimeoutError, asyncio.LimitOverrunError, ValueError):
            pass
        if alone or answer is None or answer.closes:
            await self.close()
        return answer

    async def close(self) -> None:
        """Close the connection."""
        if self._open is not None:
            self._open[1].transport.abort()
            self._open = None


async def _read(reader: asyncio.StreamReader, *, head: bool) -> Answer:
    status = 100
    while status < 200:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    closes = headers.get("connection", "") == "close"
    if head or status == 204:
        content = b""
    elif "content-length" in headers:
        content = await reader.readexactly(int(headers["content-length"]))
    else:
        content, closes = await reader.read(), True
    return Answer(status, headers.get("content-type", ""), content, closes)
