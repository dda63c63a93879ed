"""``python -m bench.pressure.moving_clients``: many clients of ours in one process, which move at a deploy.

Each line of input is a command in JSON, answered with one line: ``{"follow": {...}}`` once all are live;
``{"leave": 17}`` once all have the event with this sequence, with what each of them has gone through.
"""

import asyncio
import contextlib
import json
import random
import sys
import time
from collections.abc import Sequence
from typing import Any

import aiohttp
import uvloop

from clients.python.wedsync_live import AsyncLive, LiveError, State, StateName
from wedsync.runner.ports import LOCAL

AT_ONCE = 20  # clients that start together
PATIENCE = 30.0  # seconds
MOST_AFTER = 20  # events that may follow the last one
LOOK_EVERY = 0.2  # seconds, at which processes are ready


class Balancer:
    """Knows which of the web processes are ready, and picks one of them."""

    def __init__(self, session: aiohttp.ClientSession, ports: Sequence[int]) -> None:
        self._session, self._ports = session, ports
        self._ready = list(ports)

    def port(self) -> int:
        """Of a process that is ready."""
        return random.choice(self._ready or list(self._ports))

    async def watch(self) -> None:
        """Ask each process again and again."""
        while True:
            self._ready = [port for port in self._ports if await self._is_ready(port)]
            await asyncio.sleep(LOOK_EVERY)

    async def _is_ready(self, port: int) -> bool:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with self._session.get(f"http://{LOCAL}:{port}/readyz", timeout=aiohttp.ClientTimeout(5)) as answer:
                return answer.status == 200
        return False


class Client:
    """One client. ``states``: when it became live or began to wait, and the code or the reason of that."""

    def __init__(self, live: AsyncLive, channel: str) -> None:
        self.states: list[tuple[float, str, str]] = []
        self.sequences: list[int] = []
        self._feed = live.follow([channel], on_state=self._note)
        self.is_live, self._changed = asyncio.Event(), asyncio.Event()
        self.task = asyncio.create_task(self._follow())

    def _note(self, state: State) -> None:
        if state.name == StateName.LIVE:
            self.is_live.set()
        self.states.append((time.monotonic(), state.name, str(state.code or state.why)))

    async def _follow(self) -> None:
        try:
            async for event in self._feed:
                self.sequences.append(event.sequence)
                self._changed.set()
        except LiveError as error:
            self.states.append((time.monotonic(), StateName.ENDED, str(error)))

    async def has(self, last: int) -> None:
        """Return once it has this event."""
        while last not in self.sequences[-MOST_AFTER:]:
            self._changed.clear()
            await self._changed.wait()


class Crowd:
    """All clients."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._clients: list[Client] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def follow(self, ports: list[int], key: str, channel: str, count: int) -> int:
        """Start this number of clients; returns once they are live."""
        balancer = Balancer(self._session, ports)
        self._tasks.append(asyncio.create_task(balancer.watch()))

        async def ticket() -> dict[str, Any]:
            port = balancer.port()
            headers = {"Authorization": f"Bearer {key}"}
            url = f"http://{LOCAL}:{port}/api/channels/tickets/"
            try:
                async with self._session.post(url, headers=headers, json={}) as answer:
                    answer.raise_for_status()
                    return {**await answer.json(), "ws_url": f"ws://{LOCAL}:{port}/ws/channels/"}
            except aiohttp.ClientError as error:
                raise OSError(str(error)) from error

        for start in range(0, count, AT_ONCE):
            made = [Client(AsyncLive(ticket), channel) for _ in range(min(AT_ONCE, count - start))]
            for each in made:
                await asyncio.wait_for(each.is_live.wait(), PATIENCE)
            self._clients += made
        return len(self._clients)

    async def leave(self, last: int) -> list[dict[str, Any]]:
        """Wait for the last event, and tell what happened to each client."""
        waiting = [asyncio.create_task(each.has(last)) for each in self._clients]
        await asyncio.wait(waiting, timeout=PATIENCE)
        return [{"states": each.states, "sequences": each.sequences} for each in self._clients]


async def main() -> None:
    """Execute commands until the input ends."""
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        crowd = Crowd(session)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            order = json.loads(line)
            answer: Any = await (crowd.follow(**order["follow"]) if "follow" in order else crowd.leave(order["leave"]))
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
