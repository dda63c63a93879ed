"""A steady stream of signed webhooks, and the answers to each.

Written from docs/vendors/venue_master.md; runs on its own thread. VenueMaster may also use our own event types.
"""

import asyncio
import itertools
import json
import random
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import aiohttp

from bench.chaos.seed import EMERGENCY, GALLERY, GUESTS, TIMELINE
from bench.ground import Facts
from bench.reconcile.sending import Door, Sent

ANSWER_SECONDS = 10.0
"""Seconds for an answer; docs/vendors/venue_master.md, "Retrying"."""
PATIENCE = 60.0
"""Seconds from the first try of a request to the last, for a vendor that does not give up soon."""
PAUSE = (0.1, 0.5)
"""Seconds before the next try: the first and, after doublings, the longest."""
SHARES = {TIMELINE: 60, GUESTS: 15, GALLERY: 15, EMERGENCY: 10}
"""Percent of each type: the first goes to six targets, each other to three."""


class Envelopes:
    """Bodies of all four priorities, spread over the weddings; no content repeats, even across instances."""

    _numbers = itertools.count(1)  # shared, since a system is not told again what it already knows

    def __init__(self, bookings: Sequence[str]) -> None:
        self._run = secrets.token_hex(4)
        self._bookings = bookings
        self._chance = random.Random()

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """Yield new ids and bodies without end."""
        for number in self._numbers:
            external_id = f"vm_{self._run}_{number:07}"
            event_type = self._chance.choices(list(SHARES), list(SHARES.values()))[0]
            booking = self._bookings[number % len(self._bookings)]
            envelope = {
                "id": external_id,
                "eventType": event_type,
                "timestamp": datetime.now(UTC).isoformat(),
                "payload": {"booking_id": booking, **_payload(event_type, number, self._run)},
            }
            yield external_id, json.dumps(envelope).encode()


def _payload(event_type: str, number: int, run: str) -> dict[str, object]:
    match event_type:
        case "timeline.updated":  # a new field each time, so that none supersedes another and each is new
            return {"changes": [{"field": f"item {number}", "before": None, "after": f"{number % 24:02}:30"}]}
        case "guest_count.changed":
            return {"guest_count": number % 90_000}
        case "gallery.ready":
            return {"gallery_url": f"https://gallery.example/{number}", "photo_count": number % 900}
        case _:
            return {
                "kind": "power",
                "description": f"The lights went out, report {number} of {run}",
                "reported_by": "Tom Berger",
            }


class Load:
    """One stream, from :meth:`start` to :meth:`stop`. ``sent``: each id with its answers.

    Arguments:
        rate: new requests per second; repetitions come on top.
    """

    def __init__(self, facts: Facts, port: int, rate: float) -> None:
        self.sent: dict[str, Sent] = {}
        self._door = Door(facts, port)
        self._envelopes = iter(Envelopes(facts.bookings))
        self._rate = rate
        self._ends = threading.Event()
        self._hurries = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="chaos-load", daemon=True)

    @property
    def taken(self) -> int:
        """How many ids have been answered 200 or 202 so far."""
        return sum(each.taken for each in list(self.sent.values()))

    def start(self) -> None:
        """Start sending."""
        self._thread.start()

    def stop(self) -> dict[str, Sent]:
        """Send nothing new, and wait until each request is accepted or its sender gives up."""
        self._ends.set()
        self._thread.join()
        return self.sent

    def abandon(self) -> None:
        """End immediately, without waiting for answers."""
        self._hurries.set()
        self._ends.set()

    async def _run(self) -> None:
        connector = aiohttp.TCPConnector(limit=64)
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        began, number = time.monotonic(), 0
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session, asyncio.TaskGroup() as group:
            while not self._ends.is_set():
                external_id, body = next(self._envelopes)
                sent = self.sent[external_id] = Sent()
                group.create_task(self._send(session, body, sent))
                number += 1
                await asyncio.sleep(max(0.0, began + number / self._rate - time.monotonic()))

    async def _send(self, session: aiohttp.ClientSession, body: bytes, sent: Sent) -> None:
        gives_up, pause = time.monotonic() + PATIENCE, PAUSE[0]
        while time.monotonic() < gives_up and not self._hurries.is_set():
            await self._door.knock(session, body, sent)
            if sent.taken:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, PAUSE[1])
