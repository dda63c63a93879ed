"""Pages that load a wedding with its position and then follow it, and the staff who change weddings meanwhile.

Written from docs/developers/api-weddings.md and realtime.md, sharing no code with the product.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import aiohttp

from bench.reconcile_live.clients import Place, SocketClient

FIELDS = ("ceremony_time", "reception_time")
"""Changed by staff alone: here no worker applies what vendors report."""
LOADS_AGAIN = 0.3  # of the times that a page connects again


class Page(SocketClient):
    """A client that shows one wedding: it loads the state, then applies each event after the state's position."""

    kind = "page"

    def __init__(self, place: Place, session: aiohttp.ClientSession, wedding: str) -> None:
        super().__init__(place, session, [f"couple:dashboard:{wedding}"])
        self.wedding = wedding
        self.shown: dict[str, Any] = {}
        self.loads = 0

    async def _events(self) -> AsyncGenerator[dict[str, Any]]:
        if not self.shown or random.random() < LOADS_AGAIN:
            await self._load()
        async for event in super()._events():
            yield event

    async def _load(self) -> None:
        url = f"http://{self._place.origin()}/api/weddings/{self.wedding}/"
        async with self._session.get(url, headers=self._place.authorization) as answer:
            self._note(answer.status)
            answer.raise_for_status()
            state = await answer.json()
        for name, position in state["live"].items():
            if followed := self.channels.get(name):
                followed.after, followed.epoch = position["last"], position["epoch"]
        self.shown = {name: state[name] for name in FIELDS}
        self.loads += 1

    def _take(self, frame: Mapping[str, Any]) -> None:
        super()._take(frame)
        event = frame["event"]
        if event["type"] == "timeline.updated":
            self.shown |= {each["field"]: each["after"] for each in event["payload"]["changes"]}


class Staff:
    """Members of staff who change weddings, until :meth:`stop`. ``changes``: how many were accepted."""

    def __init__(self, place: Place, session: aiohttp.ClientSession, weddings: Sequence[str], pause: float) -> None:
        self._place, self._session, self._weddings, self._pause = place, session, weddings, pause
        self._ends = False
        self.changes = 0

    def stop(self) -> None:
        """Finish the present request."""
        self._ends = True

    async def run(self) -> None:
        """Change weddings until told to stop."""
        while not self._ends:
            url = f"http://{self._place.origin()}/api/weddings/{random.choice(self._weddings)}/"
            name, hour = random.choice([(FIELDS[0], random.randrange(10, 15)), (FIELDS[1], random.randrange(15, 20))])
            change = {name: f"{hour}:{random.randrange(10, 60)}"}
            try:
                async with self._session.patch(url, json=change, headers=self._place.authorization) as answer:
                    self.changes += answer.status == 200
            except (OSError, aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(self._pause)
