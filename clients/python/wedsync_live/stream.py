"""Server-Sent Events, for networks that let no WebSocket through: the same messages as on a socket."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

from .messages import LiveError
from .times import Times

LONGEST_LINE = 64 * 1024 * 1024  # bytes; an event is one line
FINAL = 3500
SOCKETS, STREAMS = "/ws/channels/", "/api/channels/events/"
UNAUTHORIZED, FORBIDDEN, OK = 401, 403, 200


class StreamEnded(Exception):
    """The stream has ended. ``pause``: seconds that the server asks us to wait."""

    def __init__(self, code: int | None, why: str, pause: float | None = None) -> None:
        super().__init__(why)
        self.code, self.why, self.pause = code, why, pause


class Stream:
    """Iterate over it for what the server sends. Further channels open it anew, with the token that it was told."""

    def __init__(self, ticket: Mapping[str, Any], times: Times) -> None:
        self._url = urlsplit(str(ticket["ws_url"]))
        self._token, self._times = str(ticket["ticket"]), times
        self._starts: dict[str, Mapping[str, Any]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._opens_again = False

    async def __aiter__(self) -> AsyncIterator[Mapping[str, Any]]:
        """Everything until the stream ends.

        Raises:
            StreamEnded: it has ended.
        """
        while True:
            self._opens_again = False
            try:
                async for message in self._messages():
                    yield message
            except EOFError:
                if not self._opens_again:
                    raise
            if not self._opens_again:
                raise StreamEnded(None, "the stream has ended")

    async def subscribe(self, starts: Mapping[str, Mapping[str, Any]]) -> None:
        """Follow further channels, or some from elsewhere."""
        self._starts |= starts
        if self._writer:
            self._opens_again = True
            self.cut_off()

    async def ask(self, op: str, **fields: Any) -> Mapping[str, Any]:
        """Requests need a socket.

        Raises:
            LiveError: always.
        """
        raise LiveError(f"this network lets no {op} through (no-socket)")

    async def answers_within(self, seconds: float) -> bool:
        """A stream cannot be asked, so it is replaced."""
        return False

    def cut_off(self) -> None:
        """End it at once."""
        if self._writer:
            self._writer.transport.abort()

    async def _messages(self) -> AsyncIterator[Mapping[str, Any]]:
        lines = await self._open()
        kind, data = "", ""
        async for line in lines:
            name, _, value = line.partition(":")
            if name == "event":
                kind = value.strip()
            elif name == "data":
                data = value.strip()
            elif not line and data:
                message = self._understood(kind, json.loads(data))
                kind, data = "", ""
                if message is not None:
                    yield message

    def _understood(self, kind: str, content: dict[str, Any]) -> Mapping[str, Any] | None:
        match kind:
            case "":
                if start := self._starts.get(content["channel"]):
                    self._starts[content["channel"]] = {**start, "after": content["sequence"]}
                return content
            case "subscribed":
                answers = {name: {"ok": True, **answer} for name, answer in content["channels"].items()}
                for name, answer in answers.items():
                    after = self._starts.get(name, {}).get("after")
                    begins_at_last = after is None or answer.get("recovered") is False
                    self._starts[name] = {
                        "after": answer["last"] if begins_at_last else after,
                        "epoch": answer["epoch"],
                    }
                return {"channels": answers}
            case "token":
                self._token = content["token"]
            case "end":
                raise StreamEnded(content["code"], content["reason"])
        return None

    async def _open(self) -> AsyncIterator[str]:
        """Send the request; returns the lines of the answer.

        Raises:
            Refusal: the server refused it.
        """
        secure = self._url.scheme in {"wss", "https"}
        host, port = self._url.hostname or "", self._url.port or (443 if secure else 80)
        context = ssl.create_default_context() if secure else None
        reader, self._writer = await asyncio.open_connection(host, port, ssl=context, limit=LONGEST_LINE)
        query = urlencode([("channel", _channel_parameter(name, start)) for name, start in self._starts.items()])
        self._writer.write(
            f"GET {self._url.path.replace(SOCKETS, STREAMS)}?{query} HTTP/1.1\r\n"
            f"Host: {self._url.netloc.rpartition('@')[2]}\r\n"
            f"Authorization: Bearer {self._token}\r\n"
            "Accept: text/event-stream\r\nConnection: close\r\n\r\n".encode()
        )
        status = int((await reader.readline()).split()[1])
        headers: dict[str, str] = {}
        while line := (await reader.readline()).decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = _chunks(reader) if headers.get("transfer-encoding", "").lower() == "chunked" else _whole(reader)
        if status != OK:
            raise _refusal(status, headers, b"".join([part async for part in body]))
        return self._lines(body)

    async def _lines(self, body: AsyncIterator[bytes]) -> AsyncIterator[str]:
        rest = b""
        while True:
            async with asyncio.timeout(self._times.ping + self._times.patience):  # comments come more often
                part = await anext(body, None)
            if part is None:
                return
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                yield line.decode().rstrip("\r")


class Refusal(StreamEnded):
    """The request was refused. ``channel``: the one because of which."""

    channel: str | None = None
    error: Mapping[str, Any]


def _refusal(status: int, headers: Mapping[str, str], body: bytes) -> Refusal:
    problem = json.loads(body)
    after, channel = headers.get("retry-after", ""), problem.get("channel")
    is_final = status == FORBIDDEN and not channel
    refusal = Refusal(FINAL if is_final else None, problem.get("detail", ""), float(after) if after.isdigit() else None)
    refusal.channel = channel
    refusal.error = {"code": str(problem.get("type", "")).rpartition("/")[2], "message": refusal.why}
    return refusal


def _channel_parameter(name: str, start: Mapping[str, Any]) -> str:
    if start.get("after") is None:
        return name
    return f"{name}@{start['after']}" + (f".{start['epoch']}" if start.get("epoch") else "")


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """A body in chunks (RFC 9112, 7.1)."""
    while size := int((await reader.readline()).split(b";")[0] or b"0", 16):
        yield await reader.readexactly(size)
        await reader.readline()


async def _whole(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while part := await reader.read(65536):
        yield part


@asynccontextmanager
async def opened_stream(ticket: Mapping[str, Any], times: Times) -> AsyncIterator[Stream]:
    """A stream by a ticket; it connects when it is iterated."""
    stream = Stream(ticket, times)
    try:
        yield stream
    finally:
        stream.cut_off()
