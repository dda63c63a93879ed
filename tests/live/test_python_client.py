"""The Python client against the running product."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clients.python.wedsync_live import (
    AsyncLive,
    Ended,
    Event,
    LiveError,
    Position,
    Refused,
    tickets_by_key,
)
from tests.docs.pages import ROOT
from tests.live.python_client import couple, listening
from tests.live.world import World
from wedsync.live.models import Channel


def position(world: World) -> dict[str, Any]:
    channel = Channel.objects.get(name=couple(world))
    return {"live": {channel.name: {"last": channel.last_sequence, "epoch": str(channel.epoch)}}}


def test_events_come_in_order_from_where_the_state_was_loaded(world: World) -> None:
    for capacity in (160, 161):
        world.capacity(capacity)
    loaded = position(world)
    world.capacity(162)

    with listening(world, load=lambda: loaded) as listener:
        listener.becomes("live")
        world.capacity(163)

        listener.shows([162, 163])
        assert listener.following.positions[couple(world)].last == 4


def test_asyncio_gets_the_same_events(world: World) -> None:
    world.capacity(160)
    world.capacity(161)

    async def both() -> list[Event]:
        live = AsyncLive(tickets_by_key(world.product.base_url, world.token))
        found: list[Event] = []
        following = live.follow([couple(world)], live={couple(world): Position(0)})
        async for event in following:
            found.append(event)
            if len(found) == 2:
                await following.aclose()
        return found

    events = asyncio.run(asyncio.wait_for(both(), 10))

    assert [(event.sequence, event.payload["capacity"]) for event in events] == [(1, 160), (2, 161)]
    assert {event.type for event in events} == {"venue.capacity_updated"}


def test_a_position_of_another_epoch_makes_it_load_again(world: World) -> None:
    world.capacity(160)
    lost = {couple(world): {"last": 1, "epoch": "another"}}
    with listening(world, live=lost, load=lambda: position(world)) as listener:
        listener.becomes("live")
        world.capacity(161)

        listener.shows([161])


def test_a_lost_position_without_a_way_to_load_is_raised(world: World) -> None:
    lost = {couple(world): {"last": 7, "epoch": "another"}}
    with listening(world, live=lost) as listener:
        listener.ends()

    assert isinstance(listener.error, Refused)
    assert listener.error.code == "unrecoverable"


def test_a_channel_that_may_not_be_followed_is_raised_or_told(world: World) -> None:
    refused: list[Refused] = []
    with listening(world, "not a name", couple(world), on_refused=refused.append) as listener:
        listener.becomes("live")
        world.capacity(160)
        listener.shows([160])
    with listening(world, "not a name", couple(world)) as strict:
        strict.ends()

    assert [(each.channel, each.code) for each in refused] == [("not a name", "bad-channel")]
    assert isinstance(strict.error, Refused)


def test_a_right_that_is_gone_ends_it_for_good(world: World) -> None:
    with listening(world) as listener:
        listener.becomes("live")
        world.organization.api_keys.all().delete()
        listener.ends()

    assert isinstance(listener.error, Ended)
    assert listener.error.code == 3507


def test_requests_are_answered_over_the_connection(world: World) -> None:
    with listening(world) as listener:
        listener.becomes("live")

        assert listener.following.request("ping")["ok"]
        with pytest.raises(LiveError, match="unknown-op"):
            listener.following.request("shout")


def test_it_is_a_package_of_its_own_that_needs_nothing_of_the_product(tmp_path: Path) -> None:
    """As another project sees it: only its own folder is on the path."""
    code = "import wedsync_live, sys; assert not {'django', 'wedsync'} & set(sys.modules); print(wedsync_live.__all__)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "clients" / "python")}
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "AsyncLive" in ran.stdout
