"""The Python client over networks that go away and proxies that break sockets."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from clients.python.wedsync_live import (
    LiveError,
    Refused,
    Times,
    tickets_by_key,
)
from tests.live.networks import Network, network_to
from tests.live.python_client import TIMES, Listener, couple, listening
from tests.live.world import World

SOON = 2.0  # seconds, after the network is back


@pytest.fixture
def network(world: World) -> Iterator[Network]:
    with network_to(world.product.port) as made:
        yield made


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
            network.refuses_upgrade = choice.random() < 0.3
            if choice.random() < 0.5:
                network.misbehave(choice)
        network.refuses_upgrade = False
        network.come_back()
        listener.following.wake()

        listener.shows(capacities, 20)


@pytest.mark.parametrize("fault", ["refuses_upgrade", "swallows_frames"])
def test_a_proxy_that_breaks_sockets_is_passed_by_a_stream(world: World, network: Network, fault: str) -> None:
    setattr(network, fault, True)
    with listening(world, port=network.port) as listener:
        listener.becomes("live")
        world.capacity(160)
        listener.shows([160])
        network.go_away()
        for capacity in (161, 162):
            world.capacity(capacity)

        network.come_back()
        listener.following.wake()

        listener.shows([160, 161, 162], SOON)
        assert network.upgrades == 1, "sockets are not tried again for a while"
        with pytest.raises(LiveError, match="no-socket"):
            listener.following.request("ping")


def test_a_stream_tells_what_may_not_be_followed_and_goes_on_with_the_others(world: World, network: Network) -> None:
    network.refuses_upgrade = True
    refused: list[Refused] = []
    urgent = f"urgent:wedding-day:{world.organization.id}"
    base_url = f"http://127.0.0.1:{network.port}"
    tickets = tickets_by_key(base_url, world.token, [couple(world)])
    channels = [urgent, "not a name", couple(world)]
    listener = Listener(tickets, channels, TIMES, on_refused=refused.append)
    try:
        listener.becomes("live")
        world.capacity(160)
        listener.shows([160])
    finally:
        listener.following.close()
        listener.ends()

    assert {each.channel: each.code for each in refused} == {urgent: "forbidden", "not a name": "bad-channel"}


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
