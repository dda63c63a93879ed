"""Old entries are dropped from the beginning of a channel, and nobody who reads meanwhile misses anything unnoticed."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.factories import WeddingFactory
from tests.wedsync.live.test_broadcasting import Recorder, follow, until, write
from wedsync.live import threads
from wedsync.live.close_codes import CloseCode
from wedsync.live.fan_out.broadcasting import Broadcaster
from wedsync.live.log import retention
from wedsync.live.log.reader import ChannelKey, positions
from wedsync.live.log.resumption import Start, resume
from wedsync.live.models import ChannelEntry
from wedsync.weddings.models import Wedding

NAME, OTHER = "a:b:1", "a:b:2"


@pytest.fixture
def wedding(transactional_db: None, settings: Any) -> Wedding:
    settings.FOLLOW_SECONDS = 0.05
    return kept_for(7)


def kept_for(days: int | None) -> Wedding:
    made: Wedding = WeddingFactory()
    made.organization.live_log_days = days
    made.organization.save()
    return made


def age(wedding: Wedding, *sequences: int, days: float = 8, name: str = NAME) -> None:
    rows = ChannelEntry.objects.filter(channel__organization=wedding.organization, channel__name=name)
    rows.filter(sequence__in=sequences).update(written_at=timezone.now() - timedelta(days=days))


def kept(wedding: Wedding, name: str = NAME) -> list[int]:
    rows = ChannelEntry.objects.filter(channel__organization=wedding.organization, channel__name=name)
    return list(rows.order_by("sequence").values_list("sequence", flat=True))


def test_only_the_beginning_is_dropped_and_the_position_says_so(wedding: Wedding) -> None:
    write(wedding, 6, NAME, OTHER)
    age(wedding, 1, 2, 3, 5)
    key = ChannelKey(wedding.organization_id, NAME)

    assert retention.prune() == 3

    assert kept(wedding) == [4, 5, 6]
    assert kept(wedding, OTHER) == [1, 2, 3, 4, 5, 6]
    where = positions([key])[key]
    assert (where.oldest, where.last) == (4, 6)
    assert resume(Start(after=3), where).recovered is True
    assert resume(Start(after=2), where).answer["oldest"] == 4
    assert retention.prune() == 0


def test_a_channel_of_old_entries_alone_goes_on_where_it_stood(wedding: Wedding) -> None:
    write(wedding, 3, NAME)
    age(wedding, 1, 2, 3)
    key = ChannelKey(wedding.organization_id, NAME)

    assert retention.prune() == 3
    assert (positions([key])[key].oldest, positions([key])[key].last) == (4, 3)

    write(wedding, 1, NAME)
    assert kept(wedding) == [4]


def test_many_are_dropped_in_steps(wedding: Wedding, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 4)
    write(wedding, 11, NAME)
    age(wedding, *range(1, 10))

    assert retention.prune() == 9
    assert kept(wedding) == [10, 11]


@pytest.mark.parametrize("days", [None, 30])
def test_each_organization_keeps_its_own(wedding: Wedding, days: int | None) -> None:
    other = kept_for(days)
    for each in (wedding, other):
        write(each, 2, NAME)
        age(each, 1, 2)

    retention.prune()

    assert (kept(wedding), kept(other)) == ([], [1, 2])


def test_a_slow_reader_is_told_when_what_it_needs_next_is_dropped(wedding: Wedding) -> None:
    key = ChannelKey(wedding.organization_id, NAME)

    async def play() -> tuple[Recorder, Recorder]:
        broadcaster = Broadcaster()
        slow, quick = Recorder(), Recorder()
        await threads.entrance.run(write, wedding, 40, NAME)
        slow.read(reads=False)
        slow.unsent = 10**9  # so that its turn waits
        await follow(broadcaster, slow, key, after=0)
        await follow(broadcaster, quick, key, after=0)
        await until(lambda: len(quick.sequences) == 40)
        await threads.entrance.run(age, wedding, *range(1, 21))
        await threads.entrance.run(retention.prune)
        slow.read(reads=True)
        await until(lambda: not slow.is_open or len(slow.sequences) == 40)
        return slow, quick

    slow, quick = asyncio.run(play())

    assert slow.ended_with == CloseCode.BROKEN
    assert not slow.sequences
    assert quick.ended_with is None


def test_readers_of_all_speeds_have_no_gap_while_entries_are_dropped(wedding: Wedding) -> None:
    key = ChannelKey(wedding.organization_id, NAME)

    async def play() -> list[Recorder]:
        broadcaster = Broadcaster()
        clients: list[Recorder] = []
        for step in range(1, 16):
            await threads.entrance.run(write, wedding, 10, NAME)
            client = Recorder()
            client.read(reads=step % 3 > 0)
            where = (await threads.entrance.run(positions, [key]))[key]
            await follow(broadcaster, client, key, after=where.oldest - 1)
            clients.append(client)
            await threads.entrance.run(age, wedding, *range(1, 10 * step - 15))
            await threads.entrance.run(retention.prune)
            for each in clients[:-3]:
                each.read(reads=True)
        for each in clients:
            each.read(reads=True)
        last = 150
        await until(lambda: all(not each.is_open or each.sequences[-1:] == [(NAME, last)] for each in clients))
        return clients

    clients = asyncio.run(play())

    for client in clients:
        sequences = [sequence for _, sequence in client.sequences]
        assert sequences == list(range(sequences[0], sequences[-1] + 1)) if sequences else not client.is_open
    assert any(client.is_open for client in clients)
