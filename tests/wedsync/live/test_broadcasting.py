"""Each client gets its channels' log, whole and in order, however far it is behind and however slowly it reads."""

import asyncio
import json
import random
from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from tests.factories import WeddingFactory
from tests.wedsync.live.test_log import new_event
from wedsync.live import threads
from wedsync.live.access.bearers import Bearer
from wedsync.live.close_codes import CloseCode
from wedsync.live.fan_out import broadcasting
from wedsync.live.fan_out.broadcasting import Broadcaster
from wedsync.live.fan_out.replays import FIRST_PAGE, PAGE_BYTES
from wedsync.live.fan_out.subscriptions import MOST_UNSENT, Framing, Subscription
from wedsync.live.log.reader import ChannelKey, positions
from wedsync.live.log.writer import append

DEADLINE = 30.0  # seconds
NAMES = ["a:b:1", "a:b:2"]


def lines(texts: Iterable[bytes]) -> bytes:
    return b"".join(text + b"\n" for text in texts)


class Recorder:
    """A client that keeps what it is sent, and reads it only when it is told to."""

    def __init__(self) -> None:
        self.bearer = Bearer(api_key_id=uuid4())
        self.received: list[bytes] = []
        self.unsent = 0
        self.most_unsent = 0
        self.is_open = True
        self.reads = True
        self.ended_with: CloseCode | None = None
        self._again: list[Callable[[], None]] = []

    @property
    def framing(self) -> Framing:
        return lines

    def write(self, frames: bytes) -> None:
        self.received.append(frames)
        if not self.reads:
            self.unsent += len(frames)
            self.most_unsent = max(self.most_unsent, self.unsent)

    def end(self, code: CloseCode, reason: str) -> None:
        self.is_open, self.ended_with = False, code

    def when_drained(self, again: Callable[[], None]) -> None:
        self._again.append(again)

    def read(self, *, reads: bool) -> None:
        """Begin to read, or stop."""
        self.reads = reads
        if reads:
            self.unsent = 0
            waiting, self._again = self._again, []
            for again in waiting:
                again()

    @property
    def sequences(self) -> list[tuple[str, int]]:
        found = [json.loads(line) for line in b"".join(self.received).splitlines()]
        return [(frame["channel"], frame["sequence"]) for frame in found]


def write(wedding: Any, count: int, *names: str, size: int = 1) -> None:
    with transaction.atomic():
        new = [new_event(wedding, *names) for _ in range(count)]
        for each in new:
            each.payload["extra"] = {"text": "x" * size}
        append(new)


async def until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not so():  # noqa: ASYNC110  (what is looked at tells nobody)
            await asyncio.sleep(0.01)


async def follow(broadcaster: Broadcaster, client: Recorder, key: ChannelKey, after: int | None) -> Subscription:
    """As a socket does."""
    await broadcaster.listen()
    where = (await threads.entrance.run(positions, [key]))[key]
    made = Subscription(client, key, where.last if after is None else after, page=FIRST_PAGE)
    broadcaster.add(made, where.last)
    return made


@pytest.fixture
def wedding(transactional_db: None, settings: Any) -> Any:
    settings.FOLLOW_SECONDS = 0.05  # nothing here sends hints
    return WeddingFactory()


@pytest.mark.parametrize("seed", range(4))
def test_whoever_comes_goes_and_stops_reading_has_each_channel_whole_and_in_order(wedding: Any, seed: int) -> None:
    chance = random.Random(seed)
    keys = [ChannelKey(wedding.organization_id, name) for name in NAMES]

    async def play() -> None:
        broadcaster = Broadcaster()
        clients: list[tuple[Recorder, ChannelKey, int]] = []
        for _ in range(40):
            match chance.randrange(4):
                case 0 | 1:
                    names = chance.sample(NAMES, chance.randint(1, 2))
                    await threads.entrance.run(write, wedding, chance.choice([1, 3, 40]), *names)
                case 2:
                    key, client = chance.choice(keys), Recorder()
                    last = (await threads.entrance.run(positions, [key]))[key].last
                    after = chance.randint(0, last)
                    await follow(broadcaster, client, key, after)
                    clients.append((client, key, after))
                case _ if clients:
                    chance.choice(clients)[0].read(reads=chance.random() < 0.5)
        for client, _, _ in clients:
            client.read(reads=True)
        lasts = await threads.entrance.run(positions, keys)
        await until(lambda: all(whole(*each, lasts[each[1]].last) for each in clients))

    def whole(client: Recorder, key: ChannelKey, after: int, last: int) -> bool:
        expected = [(key.name, sequence) for sequence in range(after + 1, last + 1)]
        assert client.sequences == expected[: len(client.sequences)], "no gap, no double, in order"
        return client.sequences == expected

    asyncio.run(play())


def test_what_waits_for_a_client_that_reads_nothing_is_bounded_and_comes_later(wedding: Any) -> None:
    key = ChannelKey(wedding.organization_id, NAMES[0])

    async def play() -> None:
        broadcaster, stuck, other = Broadcaster(), Recorder(), Recorder()
        stuck.read(reads=False)
        for client in (stuck, other):
            await follow(broadcaster, client, key, None)
        for _ in range(8):
            await threads.entrance.run(write, wedding, 4, NAMES[0], size=60_000)
        await until(lambda: len(other.sequences) == 32)
        assert stuck.most_unsent <= MOST_UNSENT
        assert len(stuck.sequences) < 32

        stuck.read(reads=True)
        await until(lambda: len(stuck.sequences) == 32)
        assert stuck.sequences == other.sequences

    asyncio.run(play())


def test_what_is_new_is_read_once_however_many_follow(wedding: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    key = ChannelKey(wedding.organization_id, NAMES[0])
    read: list[int] = []
    reading = broadcasting.fetch_entries_after

    async def counted(log: Any, cursors: Any, most: int) -> Any:
        found = await reading(log, cursors, most)
        read.append(sum(map(len, found.values())))
        return found

    monkeypatch.setattr(broadcasting, "fetch_entries_after", counted)

    async def play() -> None:
        broadcaster, clients = Broadcaster(), [Recorder() for _ in range(50)]
        for client in clients:
            await follow(broadcaster, client, key, None)
        await threads.entrance.run(write, wedding, 3, NAMES[0])
        await until(lambda: all(len(client.sequences) == 3 for client in clients))
        assert sum(read) == 3
        assert len({id(client.received[-1]) for client in clients}) == 1, "the very same bytes"

    asyncio.run(play())


def test_a_page_of_what_was_missed_is_bounded_by_its_bytes(wedding: Any) -> None:
    key = ChannelKey(wedding.organization_id, NAMES[0])
    write(wedding, 40, NAMES[0], size=50_000)

    async def play() -> None:
        broadcaster, late = Broadcaster(), Recorder()
        await follow(broadcaster, late, key, 0)
        await until(lambda: len(late.sequences) == 40)
        assert max(map(len, late.received)) <= PAGE_BYTES + 60_000

    asyncio.run(play())
