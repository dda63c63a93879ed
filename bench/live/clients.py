"""``python -m bench.live.clients``: many clients in one process, which record when each event arrives.

They speak WebSocket, or read Server-Sent Events. They use raw sockets, so that a client costs as little as possible: it
reads a frame's header and the event's number, but no JSON. Each line of input is a command in JSON, answered with one
line: ``{"open": {...}}`` once all sockets are open and follow their channel, ``{"stream": {...}}`` the same for
streams; ``{"collect": [numbers]}`` with the times at which each event came; ``{"close": true}``.
"""

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from typing import Any

import uvloop

PATIENCE = 15.0  # seconds to wait for the last event
AT_ONCE = 50  # clients that connect together
_NUMBER = re.compile(rb"n(\d+)n")
_EVENT, _SUBSCRIBED = b'data: {"op":"event"', b"event: subscribed"
_TEXT, _PING, _PONG = 0x1, 0x9, 0xA


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, crowd: "Crowd", target: str, request: bytes) -> None:
        self._crowd, self._target, self._request = crowd, target, request
        self._buffer = b""
        self.is_open = self.follows = False
        self.changed = asyncio.Event()

    def connection_made(self, transport: Any) -> None:
        """Ask for the upgrade."""
        self.transport = transport
        transport.write(
            f"GET {self._target} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Read each complete frame that has arrived."""
        now = time.monotonic()
        self._buffer += data
        if not self.is_open:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                raise RuntimeError(head[:200])
            self.is_open, self._buffer = True, rest
            if self._request:
                self.transport.write(_masked(self._request))
            else:
                self.follows = True
            self.changed.set()
        while frame := self._frame():
            self._crowd.seen(self, frame, now)

    def _frame(self) -> bytes | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1], 2
        if length == 126:
            length, start = int.from_bytes(buffer[2:4]), 4
        elif length == 127:
            length, start = int.from_bytes(buffer[2:10]), 10
        if len(buffer) < start + length:
            return None
        self._buffer = buffer[start + length :]
        opcode, content = buffer[0] & 0xF, buffer[start : start + length]
        if opcode == _PING:
            self.transport.write(_masked(content, _PONG))
        return content if opcode == _TEXT else b" "


class StreamClient(asyncio.Protocol):
    """One stream of Server-Sent Events."""

    def __init__(self, crowd: "Crowd", target: str, bearer: str) -> None:
        self._crowd, self._target, self._bearer = crowd, target, bearer
        self._buffer = b""
        self.follows = False
        self.changed = asyncio.Event()

    def connection_made(self, transport: Any) -> None:
        """Ask for the stream."""
        self.transport = transport
        transport.write(
            f"GET {self._target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._bearer}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Read each complete event that has arrived."""
        now = time.monotonic()
        *blocks, self._buffer = (self._buffer + data).split(b"\n\n")
        for block in blocks:
            if _SUBSCRIBED in block:
                self.follows = True
                self.changed.set()
            elif _EVENT in block:
                self._crowd.seen(self, block.split(_EVENT, 1)[1], now)


class Crowd:
    """All clients."""

    def __init__(self) -> None:
        self.clients: list[Client | StreamClient] = []
        self.arrivals: dict[int, list[float]] = {}

    def seen(self, client: Client | StreamClient, frame: bytes, now: float) -> None:
        """Handle an answer to a subscription, or an event."""
        if found := _NUMBER.search(frame):
            self.arrivals.setdefault(int(found[1]), []).append(now)
        elif frame != b" ":
            if b'"ok":true' not in frame.replace(b" ", b""):
                raise RuntimeError(frame[:300])
            client.follows = True
            client.changed.set()

    async def open(self, port: int, targets: list[str], request: str) -> int:
        """Connect to each target and send it the request; returns once all have answered."""
        return await self._connect(port, [Client(self, target, request.encode()) for target in targets])

    async def stream(self, port: int, target: str, bearers: list[str]) -> int:
        """Open a stream for each bearer; returns once all have begun."""
        return await self._connect(port, [StreamClient(self, target, bearer) for bearer in bearers])

    async def _connect(self, port: int, clients: Sequence[Client | StreamClient]) -> int:
        loop = asyncio.get_running_loop()
        for start in range(0, len(clients), AT_ONCE):
            made = clients[start : start + AT_ONCE]
            for client in made:
                await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
            for client in made:
                while not client.follows:
                    client.changed.clear()
                    await asyncio.wait_for(client.changed.wait(), PATIENCE)
            self.clients += made
        return len(self.clients)

    async def collect(self, numbers: list[int]) -> dict[int, list[float]]:
        """When each event arrived at each client; arrivals that were too late are missing."""
        end = time.monotonic() + PATIENCE
        while any(len(self.arrivals.get(each, ())) < len(self.clients) for each in numbers):
            if time.monotonic() > end:
                break
            await asyncio.sleep(0.05)
        return {each: self.arrivals.pop(each, []) for each in numbers}

    def close(self) -> int:
        """Abort all connections."""
        for client in self.clients:
            client.transport.abort()
        self.clients.clear()
        self.arrivals.clear()
        return 0


def _masked(text: bytes, opcode: int = _TEXT) -> bytes:
    mask = os.urandom(4)
    length = bytes((0x80 | len(text),)) if len(text) < 126 else bytes((0x80 | 126,)) + len(text).to_bytes(2)
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(text))
    return bytes((0x80 | opcode,)) + length + mask + masked


async def main() -> None:
    """Execute commands until the input ends."""
    crowd = Crowd()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        if given := order.get("open"):
            answer: Any = await crowd.open(**given)
        elif given := order.get("stream"):
            answer = await crowd.stream(**given)
        elif numbers := order.get("collect"):
            answer = await crowd.collect(numbers)
        else:
            answer = crowd.close()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
