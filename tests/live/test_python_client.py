"""The Python client against the running product, over good networks and bad ones."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clients.python.wedsync_live import (
    AsyncLive,
    Ended,
    Event,
    Live,
    LiveError,
    Position,
    Refused,
    State,
    Times,
    tickets_by_key,
)
from tests.docs.pages import ROOT
from tests.live.networks import Network, network_to
from tests.live.world import World
from tests.polling import until
from wedsync.live.models import Channel

TIMES = Times(patience=1.5, trust=0.5, ping=3, first=0.2, longest=1, settled=1)
SOON = 2.0  # seconds, after the network is back


class Listener:
    """A thread that follows, and what it was told."""

    def __init__(self, tickets: Any, channels: list[str], times: Times, **how: Any) -> None:
        self.shown: list[int] = []
        self.states: list[State] = []
        self.error: Exception | None = None
        self.following = Live(tickets, times=times).follow(channels, on_state=self.states.append, **how)
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        try:
            for event in self.following:
                self.shown.append(event.payload["capacity"])
        except LiveError as error:
            self.error = error

    def becomes(self, state: str, seconds: float = 10) -> None:
        until(lambda: self.states and self.states[-1].name == state, seconds, what=f"{state} ({self.states})")

    def shows(self, capacities: list[int], seconds: float = 10) -> None:
        until(lambda: len(self.shown) >= len(capacities), seconds, what=f"{capacities} ({self.shown}, {self.states})")
        assert self.shown == capacities

    def ends(self, seconds: float = 10) -> None:
        self._thread.join(seconds)
        assert not self._thread.is_alive()


@contextmanager
def listening(
    world: World, *channels: str, port: int | None = None, times: Times = TIMES, **how: Any
) -> Iterator[Listener]:
    tickets = tickets_by_key(f"http://127.0.0.1:{port or world.product.port}", world.token)
    listener = Listener(tickets, list(channels or [couple(world)]), times, **how)
    try:
        yield listener
    finally:
        listener.following.close()
        listener.ends()


@pytest.fixture
def network(world: World) -> Iterator[Network]:
    with network_to(world.product.port) as made:
        yield made


def couple(world: World) -> str:
    return f"couple:dashboard:{world.wedding.id}"


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


def test_a_network_that_was_away_without_a_word_costs_no_event(world: World, network: Network) -> None:
    with listening(world, port=network.port) as listener:
        listener.becomes("live")
        network.go_away()
        for capacity in (160, 161, 162):
            world.capacity(capacity)
        listener.becomes("waiting", 15)  # an unanswered ping

        network.come_back()
        listener.following.wake()

        listener.becomes("live", SOON)
        world.capacity(163)
        listener.shows([160, 161, 162, 163])


@pytest.mark.parametrize("seed", range(3))
def test_whatever_a_network_does_each_event_comes_once_and_in_order(world: World, network: Network, seed: int) -> None:
    choice = random.Random(seed)
    capacities = list(range(160, 185))
    with listening(world, port=network.port, times=replace(TIMES, patience=0.6, ping=1)) as listener:
        listener.becomes("live")
        for capacity in capacities:
            world.capacity(capacity)
            if choice.random() < 0.5:
                network.misbehave(choice)
        network.come_back()
        listener.following.wake()

        listener.shows(capacities, 20)


def test_a_clock_that_jumped_lets_a_dead_connection_be_replaced(
    world: World, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(world, port=network.port, times=Times(trust=0.5)) as listener:
        listener.becomes("live")
        network.forget_connections()
        world.capacity(160)

        shift_clock(monkeypatch, 3600)

        listener.shows([160], seconds=1 + SOON)


def shift_clock(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    now: Callable[[], float] = time.time
    monkeypatch.setattr(time, "time", lambda: now() + seconds)


def test_a_server_that_was_killed_and_started_again_costs_no_event(world: World) -> None:
    with listening(world) as listener:
        listener.becomes("live")
        world.product.kill("web")
        listener.becomes("waiting")

        world.product.start("web")
        for capacity in (160, 161):
            world.capacity(capacity)

        listener.shows([160, 161])


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


def test_listen_prints_a_row_for_each_event(world: World, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(world.token)
    world.capacity(160)
    command = [
        *(sys.executable, "manage.py", "listen", couple(world), "--all"),
        *("--url", world.product.base_url, "--key-file", str(key)),
    ]
    printed = tmp_path / "printed"
    environment = world.product.environment | {"COLUMNS": "250", "PYTHONUNBUFFERED": "1"}
    with printed.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.DEVNULL)
    try:
        until(lambda: '"capacity": 160' in printed.read_text(), 20, what="the first row")
        world.capacity(161)
        until(lambda: '"capacity": 161' in printed.read_text(), 10, what="the second row")
    finally:
        process.kill()
        process.wait()

    head, first, second = printed.read_text().splitlines()
    assert head.split() == ["time", "sequence", "priority", "type", "channel", "payload"]
    assert first.split()[1:5] == ["1", "high", "venue.capacity_updated", couple(world)]
    assert second.split()[1] == "2"


def test_listen_says_what_it_may_not_follow(world: World, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(world.token)
    asked = [sys.executable, "manage.py", "listen", "nonsense", "--url", world.product.base_url, "--key-file", str(key)]

    ran = subprocess.run(
        asked, cwd=ROOT, env=world.product.environment, capture_output=True, text=True, timeout=30, check=False
    )

    assert ran.returncode == 1
    assert "nonsense" in ran.stderr
    assert "bad-channel" in ran.stderr


def test_it_is_a_package_of_its_own_that_needs_nothing_of_the_product(tmp_path: Path) -> None:
    """As another project sees it: only its own folder is on the path."""
    code = "import wedsync_live, sys; assert not {'django', 'wedsync'} & set(sys.modules); print(wedsync_live.__all__)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "clients" / "python")}
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "AsyncLive" in ran.stdout
