"""The play: clients follow while vendors write and servers are killed."""

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import redis

from bench.errors import BenchError
from bench.ground import Facts, Ground
from bench.reconcile.sending import Senders
from bench.reconcile_live.clients import Client, Place, SocketClient, StreamClient
from bench.reconcile_live.pages import Page, Staff
from bench.servers import Server

CATCH_UP = 90.0
"""Seconds within which every client must have the whole log, once nothing new is written."""
STAFF = 3
"""How many members of staff change weddings by the API."""
CHANNELS = 3
"""How many weddings each client follows."""


@dataclass
class Played:
    """What happened. ``clients``: those that follow from the beginning; ``pages``: those that load first."""

    clients: list[Client]
    pages: list[Page]
    faults: list[str] = field(default_factory=list)
    webhooks: int = 0
    changes: int = 0
    seconds_to_catch_up: float = 0.0

    def sum(self, count: Callable[[Client], int]) -> int:
        """A number of each client, added up."""
        return sum(count(each) for each in (*self.clients, *self.pages))


@dataclass(frozen=True)
class Size:
    """How large a play is.

    Arguments:
        writers: vendors that write concurrently.
        sockets, streams, pages: clients of each kind.
        faults: how many happen, the first of :meth:`Play.faults`.
        seconds: how long vendors write; the faults are spread over that time.
        pause: seconds between two requests of one writer.
    """

    writers: int
    sockets: int
    streams: int
    pages: int
    faults: int
    seconds: float
    pause: float


class Play:
    """One play.

    Arguments:
        webs: two web processes; killed in turn, and clients connect to any of them.
    """

    def __init__(self, ground: Ground, facts: Facts, webs: Sequence[Server], size: Size) -> None:
        self._ground, self._facts, self._webs, self._size = ground, facts, webs, size
        self._vendors = [Senders(facts, web.port, size.writers // len(webs), pause=size.pause) for web in webs]

    def run(self, say: Callable[[str], None]) -> Played:
        """Play.

        Raises:
            BenchError: something did not recover.
        """
        try:
            return asyncio.run(self._play(say))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors

    async def _play(self, say: Callable[[str], None]) -> Played:
        place = Place([web.port for web in self._webs], self._facts.token)
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
            weddings = self._weddings()
            played = Played(list(self._clients(place, session, weddings)), list(self._pages(place, session, weddings)))
            staff = [Staff(place, session, weddings, self._size.pause) for _ in range(STAFF)]
            async with asyncio.TaskGroup() as group:
                writers: list[Senders | Staff] = [*self._vendors, *staff]
                writing = [group.create_task(each.run()) for each in writers]
                following = [group.create_task(each.follow()) for each in (*played.clients, *played.pages)]
                await self._strike(played, say)
                for each in writers:
                    each.stop()
                await asyncio.wait(writing)
                place.goal = self._last_sequences()
                began = time.monotonic()
                await asyncio.wait(following, timeout=CATCH_UP)
                played.seconds_to_catch_up = time.monotonic() - began
                for task in following:
                    task.cancel()
        played.webhooks = sum(each.taken for each in self._vendors)
        played.changes = sum(each.changes for each in staff)
        return played

    def _clients(self, place: Place, session: aiohttp.ClientSession, weddings: Sequence[str]) -> Iterator[Client]:
        names = [f"couple:dashboard:{wedding}" for wedding in weddings]
        for kind in [SocketClient] * self._size.sockets + [StreamClient] * self._size.streams:
            yield kind(place, session, random.sample(names, min(CHANNELS, len(names))))

    def _pages(self, place: Place, session: aiohttp.ClientSession, weddings: Sequence[str]) -> Iterator[Page]:
        for _ in range(self._size.pages):
            yield Page(place, session, random.choice(weddings))

    def _weddings(self) -> list[str]:
        rows = self._ground.execute(
            f"SELECT id::text FROM weddings_wedding WHERE organization_id = '{self._facts.organization}'"
        )
        return [wedding for (wedding,) in rows]

    def _last_sequences(self) -> dict[str, int]:
        rows = self._ground.execute(
            f"SELECT name, last_sequence FROM live_channel WHERE organization_id = '{self._facts.organization}'"
        )
        return dict(rows)

    async def _strike(self, played: Played, say: Callable[[str], None]) -> None:
        faults = self.faults()[: self._size.faults]
        pause = self._size.seconds / (len(faults) + 1)
        for name, fault in faults:
            await asyncio.sleep(pause)
            taken = sum(each.taken for each in self._vendors)
            say(f"{taken} webhooks, {played.sum(lambda each: each.drops)} drops; now: {name}")
            await asyncio.to_thread(fault)
            played.faults.append(name)
        await asyncio.sleep(pause)

    def faults(self) -> list[tuple[str, Callable[[], Any]]]:
        """All that can happen, in order."""
        first, second = self._webs[0], self._webs[-1]
        return [
            ("kill -9 of a web process", lambda: _kill(first)),
            ("FLUSHALL in Valkey", self._flush),
            ("a deploy: SIGTERM, and a new web process", lambda: _deploy(second)),
            ("kill -9 of the other web process", lambda: _kill(second)),
            ("kill -9 of Valkey", self._kill_valkey),
            ("kill -9 of a web process again", lambda: _kill(first)),
        ]

    def _flush(self) -> None:
        with contextlib.closing(redis.Redis.from_url(self._ground.valkey.url)) as client:
            client.flushall()

    def _kill_valkey(self) -> None:
        process = self._ground.valkey.process
        if process is None:
            raise BenchError("Valkey is not running.")
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        self._ground.valkey.start()


def _kill(web: Server) -> None:
    web.kill()
    web.start()


def _deploy(web: Server) -> None:
    web.stop()
    web.start()
