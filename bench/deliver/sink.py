"""``python -m bench.deliver.sink``: answers every POST after a delay, and remembers when each arrived.

Plain asyncio on uvloop, so that it uses as little of the shared processor as possible. Connections stay open.
``POST /_/reset?seconds=0.2`` empties it and sets the delay of each answer; ``GET /_/stats``, ``GET /_/arrivals`` and
``GET /_/paths`` report what has arrived since. ``GET /_/behave?path=/t/a&failing=0.1`` makes a path answer 500 to this
share of its calls, at random; ``failing=hang`` never answers. Times are Unix times of this machine.
"""

import argparse
import asyncio
import json
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import parse_qs, urlsplit

import uvloop

from wedsync.runner.ports import LOCAL

HEAD_END = b"\r\n\r\n"
TAKEN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
FAILED = TAKEN.replace(b"200 OK", b"500 Internal Server Error")
HANG = "hang"
SEED = 20


class Memory:
    """The requests received. ``arrivals``: the first time of each key."""

    def __init__(self) -> None:
        self.reset(0.0)

    def reset(self, seconds: float) -> None:
        """Forget everything; from now on each answer is delayed by ``seconds``."""
        self.seconds = seconds
        self.arrivals: dict[str, float] = {}
        self.paths: dict[str, int] = {}
        self.failing: dict[str, str] = {}
        self._chance = random.Random(SEED)
        self.answered = self.in_flight = self.most_in_flight = 0
        self.first = self.last = 0.0

    def arrived(self, path: str, key: str) -> None:
        """Note a request once it has arrived completely."""
        now = time.time()
        self.first = self.first or now
        self.arrivals.setdefault(key, now)
        self.paths[path] = self.paths.get(path, 0) + 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def answer_to(self, path: str) -> bytes | None:
        """The answer to a call to this path; ``None``: it is never answered."""
        failing = self.failing.get(path)
        if failing is None:
            return TAKEN
        if failing == HANG:
            return None
        return FAILED if self._chance.random() < float(failing) else TAKEN

    def left(self) -> None:
        """Note an answer."""
        self.answered += 1
        self.in_flight -= 1
        self.last = time.time()

    def stats(self) -> dict[str, Any]:
        """The figures since the last reset."""
        return {
            "answered": self.answered,
            "keys": len(self.arrivals),
            "paths": len(self.paths),
            "most_in_flight": self.most_in_flight,
            "first": self.first,
            "last": self.last,
        }


class Connection(asyncio.Protocol):
    """One client, whose requests come one after the other."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._data = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]  # uvloop's is not asyncio's by class

    def data_received(self, data: bytes) -> None:
        """Process the whole requests received so far."""
        self._data += data
        while (end := self._data.find(HEAD_END)) >= 0:
            head = self._data[:end]
            lines = head.split(b"\r\n")
            headers = dict(line.lower().split(b": ", 1) for line in lines[1:])
            whole = end + len(HEAD_END) + int(headers.get(b"content-length", b"0"))
            if len(self._data) < whole:
                return
            self._data = self._data[whole:]
            self._take(lines[0].split(b" ")[1].decode(), headers.get(b"idempotency-key", b"").decode())

    def _take(self, path: str, key: str) -> None:
        memory = self._memory
        if path.startswith("/_/"):
            self._transport.write(_told(memory, path))
            return
        memory.arrived(path, key)
        answer = memory.answer_to(path)
        if answer is None:
            return
        if memory.seconds:
            asyncio.get_running_loop().call_later(memory.seconds, self._answer, answer)
        else:
            self._answer(answer)

    def _answer(self, answer: bytes) -> None:
        self._transport.write(answer)
        self._memory.left()


def _told(memory: Memory, path: str) -> bytes:
    parts = urlsplit(path)
    words = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if parts.path == "/_/reset":
        memory.reset(float(words["seconds"]))
    if parts.path == "/_/behave":
        memory.failing[words["path"]] = words["failing"]
    told: dict[str, Any] = {"/_/arrivals": memory.arrivals, "/_/paths": memory.paths}
    body = json.dumps(told[parts.path] if parts.path in told else memory.stats()).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def serve(ports: Sequence[int]) -> None:
    """Serve until the process is told to stop."""
    memory, loop = Memory(), asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        for port in ports:
            server = await loop.create_server(lambda: Connection(memory), LOCAL, port, backlog=1024, reuse_address=True)
            await stack.enter_async_context(server)
        await asyncio.Event().wait()


def main() -> None:
    """Read the arguments, serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--port", type=int, nargs="+", required=True, help="all serve the same; different ports make different targets"
    )
    uvloop.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
