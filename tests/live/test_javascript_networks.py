"""The JavaScript client in Node over networks that go away and proxies that break sockets."""

import random
import signal
from collections.abc import Iterator

import pytest

from tests.live.networks import Network, network_to
from tests.live.node_client import node_client
from tests.live.world import World
from tests.polling import until

SOON = 2.0  # seconds, after the network is back


@pytest.fixture
def network(world: World) -> Iterator[Network]:
    with network_to(world.product.port) as made:
        yield made


def couple(world: World) -> str:
    return f"couple:dashboard:{world.wedding.id}"


def test_a_network_that_was_away_without_a_word_costs_no_event(world: World, network: Network) -> None:
    with node_client(world, network) as client:
        client.follow(couple(world))
        client.becomes("live")
        network.go_away()
        for capacity in (160, 161, 162):
            world.capacity(capacity)
        client.becomes("waiting", 15)  # an unanswered ping

        network.come_back()
        client.do("wake")

        client.becomes("live", SOON)
        world.capacity(163)
        client.shows([160, 161, 162, 163])


def test_a_clock_that_jumped_lets_a_dead_connection_be_replaced(world: World, network: Network) -> None:
    with node_client(world, network, ping=60) as client:
        client.follow(couple(world))
        client.becomes("live")
        network.forget_connections()
        world.capacity(160)

        client.do("jump", seconds=3600)

        client.shows([160], seconds=5)
        assert client.state() == "live"


def test_a_clock_that_jumped_leaves_a_good_connection_alone(world: World, network: Network) -> None:
    with node_client(world, network, ping=60) as client:
        client.follow(couple(world))
        client.becomes("live")

        client.do("jump", seconds=-3600)
        client.do("ask", op="ping")
        client.tells("answer")
        world.capacity(160)

        client.shows([160])
        assert network.upgrades == 1


def test_a_server_that_was_killed_and_started_again_costs_no_event(world: World) -> None:
    with node_client(world) as client:
        client.follow(couple(world))
        client.becomes("live")
        world.product.kill("web")
        client.becomes("waiting")

        world.product.start("web")
        for capacity in (160, 161):
            world.capacity(capacity)

        client.shows([160, 161])


def test_a_server_that_ends_orderly_is_come_back_to(world: World) -> None:
    with node_client(world) as client:
        client.follow(couple(world))
        client.becomes("live")
        world.product.kill("web", signal.SIGTERM)
        world.product.start("web")
        world.capacity(160)

        client.shows([160], seconds=20)


def test_a_proxy_that_refuses_sockets_is_passed_by_a_stream(world: World, network: Network) -> None:
    network.refuses_upgrade = True
    with node_client(world, network) as client:
        client.follow(couple(world))
        client.becomes("live")
        world.capacity(160)
        client.shows([160])
        network.go_away()
        for capacity in (161, 162):
            world.capacity(capacity)

        network.come_back()
        client.do("wake")

        client.shows([160, 161, 162], SOON)
        client.becomes("live")
        assert network.upgrades == 1, "sockets are not tried again for a while"


def test_a_proxy_that_swallows_frames_is_passed_by_a_stream(world: World, network: Network) -> None:
    network.swallows_frames = True
    with node_client(world, network) as client:
        client.follow(couple(world))
        client.becomes("live")
        world.capacity(160)

        client.shows([160])


def test_a_proxy_that_keeps_answers_back_lets_sockets_through(world: World, network: Network) -> None:
    network.buffers = True
    with node_client(world, network) as client:
        client.follow(couple(world))
        client.becomes("live")
        world.capacity(160)

        client.shows([160])


def test_a_stream_follows_further_channels_and_goes_on_with_the_others(world: World, network: Network) -> None:
    network.refuses_upgrade = True
    urgent = f"urgent:wedding-day:{world.organization.id}"
    with node_client(world, network) as client:
        client.follow(couple(world))
        client.becomes("live")
        world.capacity(160)
        client.shows([160])

        client.follow(urgent)
        client.becomes("live", number=1)
        world.capacity(161)
        world.emergency()

        client.shows([160, 161])
        until(lambda: any(told.get("channel") == urgent for told in client.told), 10)


def test_a_stream_tells_what_may_not_be_followed_and_goes_on_with_the_others(world: World, network: Network) -> None:
    network.refuses_upgrade = True
    with node_client(world, network, ticket={"channels": [couple(world)]}) as client:
        client.follow(f"urgent:wedding-day:{world.organization.id}", "not a name", couple(world))
        client.becomes("live")
        world.capacity(160)

        client.shows([160])
        assert {told["code"] for told in client.told if "refused" in told} == {"forbidden", "bad-channel"}


def test_a_request_over_a_stream_is_refused(world: World, network: Network) -> None:
    network.refuses_upgrade = True
    with node_client(world, network) as client:
        client.follow(couple(world))
        client.becomes("live")
        client.do("ask", op="seen", fields={"channel": couple(world), "sequence": 1})

        assert client.tells("error")["error"] == "no-socket"


@pytest.mark.parametrize("seed", range(3))
def test_whatever_a_network_does_each_event_is_shown_once_and_in_order(
    world: World, network: Network, seed: int
) -> None:
    choice = random.Random(seed)
    capacities = list(range(160, 185))
    with node_client(world, network, patience=0.6, ping=1) as client:
        client.follow(couple(world))
        client.becomes("live")
        for capacity in capacities:
            world.capacity(capacity)
            network.refuses_upgrade = choice.random() < 0.3
            if choice.random() < 0.5:
                network.misbehave(choice)
            if choice.random() < 0.3:
                client.do("wake")
        network.refuses_upgrade = False
        network.come_back()
        client.do("wake")

        client.shows(capacities, 20)
