"""The JavaScript client in Node against the running product, over good networks and bad ones."""

import gzip
import re
from collections.abc import Iterator

import pytest

from tests.live.networks import Network, network_to
from tests.live.node_client import CLIENT, node_client
from tests.live.world import World
from wedsync.live.models import Channel

MOST_BYTES = 8 * 1024


@pytest.fixture
def network(world: World) -> Iterator[Network]:
    with network_to(world.product.port) as made:
        yield made


def couple(world: World) -> str:
    return f"couple:dashboard:{world.wedding.id}"


def position(world: World) -> dict[str, dict[str, object]]:
    channel = Channel.objects.get(name=couple(world))
    return {channel.name: {"last": channel.last_sequence, "epoch": str(channel.epoch)}}


def test_it_is_small_and_needs_nothing_else() -> None:
    text = CLIENT.read_bytes()
    assert len(gzip.compress(text)) < MOST_BYTES
    assert not re.search(rb"^import|\bimport\(|\brequire\(", text, re.MULTILINE)


def test_its_types_name_what_it_offers() -> None:
    code, types = CLIENT.read_text(), CLIENT.with_suffix(".d.ts").read_text()
    client = code.split("export class WedSyncLive")[1].split("\n  // The tab that holds")[0]
    for name in re.findall(r"^  (\w+)\(.*\) \{$", client, re.MULTILINE):
        if name not in {"hear", "forget", "dropped"}:
            assert re.search(rf"^  {name}\(", types, re.MULTILINE), name
    for name in re.findall(r"^  (\w+): [\d.]+,", code.split("};")[0], re.MULTILINE):
        assert f"  {name}: number;" in types, name
    for name in set(re.findall(r"handlers\.(\w+)", code)):
        assert re.search(rf"^  {name}\??[(:?]", types, re.MULTILINE), name


def test_events_are_shown_in_order_from_where_the_state_was_loaded(world: World) -> None:
    for capacity in (160, 161):
        world.capacity(capacity)
    with node_client(world) as client:
        client.follow(couple(world), load=True)
        client.tells("load")
        loaded = position(world)
        world.capacity(162)  # between the state and the connection
        client.do("loaded", state={"live": loaded})

        client.becomes("live")
        world.capacity(163)

        client.shows([162, 163])


def test_without_positions_the_state_is_loaded_once_the_channel_is_followed(world: World) -> None:
    world.capacity(160)
    with node_client(world) as client:
        client.follow(couple(world), load=True)
        client.tells("load")
        client.do("loaded", state={})
        client.tells("load", times=2)
        world.capacity(161)
        client.do("loaded", state={})

        client.becomes("live")

        client.shows([161])


def test_a_state_that_cannot_be_loaded_is_asked_for_again(world: World) -> None:
    world.capacity(160)
    with node_client(world) as client:
        client.follow(couple(world), load=True)
        client.tells("load")
        client.do("not_loaded")
        client.tells("load", times=2)
        client.do("loaded", state={"live": position(world)})
        client.becomes("live")

        world.capacity(161)

        client.shows([161])


def test_a_position_of_another_epoch_makes_it_load_again(world: World) -> None:
    world.capacity(160)
    with node_client(world) as client:
        client.follow(couple(world), load=True, positions={couple(world): {"last": 1, "epoch": "another"}})
        client.tells("load")
        client.do("loaded", state={"live": position(world)})
        client.becomes("live")
        world.capacity(161)

        client.shows([161])


def test_a_lost_position_without_a_way_to_load_is_told(world: World) -> None:
    with node_client(world) as client:
        client.follow(couple(world), positions={couple(world): {"last": 7, "epoch": "another"}})

        assert client.tells("refused")["code"] == "unrecoverable"
        client.becomes("live")
        world.capacity(161)
        client.shows([161])


def test_a_channel_that_may_not_be_followed_is_told_and_the_others_go_on(world: World) -> None:
    with node_client(world) as client:
        client.follow("not a name", couple(world))

        assert client.tells("refused") == {"refused": "not a name", "code": "bad-channel", "number": 0}
        client.becomes("live")
        world.capacity(160)
        client.shows([160])


def test_two_parts_of_a_page_share_the_connection_and_keep_their_own_positions(world: World, network: Network) -> None:
    for capacity in (160, 161, 162):
        world.capacity(capacity)
    epoch = position(world)[couple(world)]["epoch"]
    with node_client(world, network) as client:
        client.follow(couple(world))
        client.becomes("live")
        client.follow(couple(world), positions={couple(world): {"last": 1, "epoch": epoch}})
        client.shows([161, 162], number=1)

        world.capacity(163)

        client.shows([161, 162, 163], number=1)
        client.shows([163])
        client.do("drop", number=0)
        world.capacity(164)
        client.shows([161, 162, 163, 164], number=1)
        assert client.shown() == [163]
        assert network.upgrades == 1


def test_a_right_that_is_gone_ends_it_for_good(world: World) -> None:
    with node_client(world) as client:
        client.follow(couple(world))
        client.becomes("live")
        world.organization.api_keys.all().delete()

        client.becomes("ended", 10)

        assert client.tells("code")["code"] == 3507


def test_requests_wait_for_the_connection(world: World) -> None:
    with node_client(world) as client:
        client.do("ask", op="ping")
        assert client.tells("answer")["answer"]["ok"]
        client.do("ask", op="shout")
        assert client.tells("error")["error"] == "unknown-op"
