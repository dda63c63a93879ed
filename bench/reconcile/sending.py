"""Senders that record each id and its answers."""

import asyncio
import json
import time
from dataclasses import dataclass, field

import aiohttp

from bench.envelopes import TAKEN, Envelopes, signature
from bench.ground import Facts
from wedsync.runner.ports import LOCAL

TRIES = (2, 400)
"""Tries per request, of the hasty and the patient half of the senders: some ids are never answered, others late."""
PAUSE = 0.05
"""Seconds before the next try."""
PATIENCE = 10.0
"""Seconds for an answer; docs/vendors/venue_master.md, "Retrying"."""


@dataclass
class Sent:
    """One id: the answer to each try (``None``: no answer), and the event ids in the answers."""

    answers: list[int | None] = field(default_factory=list)
    event_ids: set[str] = field(default_factory=set)

    @property
    def taken(self) -> bool:
        """Whether an answer said that the request is stored."""
        return any(answer in TAKEN for answer in self.answers)


class Door:
    """The URL for a vendor's requests, and the secret that signs them."""

    def __init__(self, facts: Facts, port: int) -> None:
        self._secret = facts.secret.encode()
        self._url = f"http://{LOCAL}:{port}{facts.path}"

    async def knock(self, session: aiohttp.ClientSession, body: bytes, sent: Sent) -> None:
        """Send it once, signed now, and record the answer."""
        headers = {
            "Content-Type": "application/json",
            "X-Venue-Signature": signature(body, self._secret, int(time.time())),
        }
        try:
            async with session.post(self._url, data=body, headers=headers) as answer:
                content = await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            sent.answers.append(None)
            return
        if answer.status in TAKEN:
            sent.event_ids.add(json.loads(content)["id"])
        sent.answers.append(answer.status)


class Senders:
    """Concurrent senders, until :meth:`stop`. ``sent``: every id; ``taken``: how many have been accepted so far.

    Arguments:
        pause: seconds between two requests of one sender.
    """

    def __init__(self, facts: Facts, port: int, count: int, *, pause: float = 0.0) -> None:
        self.sent: dict[str, Sent] = {}
        self.taken = 0
        self._door = Door(facts, port)
        self._envelopes = Envelopes(facts.bookings)
        self._count, self._pause = count, pause
        self._ends = asyncio.Event()

    def stop(self) -> None:
        """Let each sender finish its present request."""
        self._ends.set()

    async def run(self) -> None:
        """Send until told to stop."""
        connector = aiohttp.TCPConnector(limit=self._count)
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session, asyncio.TaskGroup() as group:
            for number in range(self._count):
                group.create_task(self._send_on(session, TRIES[number % 2]))

    async def _send_on(self, session: aiohttp.ClientSession, tries: int) -> None:
        while not self._ends.is_set():
            for external_id, body in self._envelopes.take(1):
                sent = self.sent[external_id] = Sent()
                await self._send(session, body, sent, tries)
                await asyncio.sleep(self._pause)

    async def _send(self, session: aiohttp.ClientSession, body: bytes, sent: Sent, tries: int) -> None:
        for _ in range(tries):
            await self._door.knock(session, body, sent)
            if sent.taken:
                self.taken += 1
                return
            await asyncio.sleep(PAUSE)
