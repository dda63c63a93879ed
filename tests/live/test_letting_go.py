"""A socket that ends leaves nothing behind, without the help of the garbage collector."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests.live.raw_sockets import CLOSE, asked, heard, masked, raw
from tests.live.socket_client import couple
from tests.live.webs import Web, another_web
from tests.live.without_collector import PATH
from tests.live.world import World
from tests.polling import until

TOGETHER, TURNS = 50, 12
ROOM = 4 * 1024 * 1024  # bytes; 600 sockets would leave about 15 MiB


@pytest.fixture
def web(world: World) -> Iterator[Web]:
    with another_web(world.product, application="tests.live.without_collector:application") as started:
        yield started


def held(web: Web) -> dict[str, int]:
    """The objects of connections that are alive, but for the one that asks."""
    found: dict[str, int] = requests.get(f"http://127.0.0.1:{web.port}{PATH}", timeout=10).json()
    found["HttpProtocol"] -= 1
    return {name: count for name, count in found.items() if count}


def resident(web: Web) -> int:
    status = Path(f"/proc/{web.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def come_and_go(world: World, web: Web, *, politely: bool) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(raw(world, web.port)) for _ in range(TOGETHER)]
        for number, client in enumerate(clients):
            client.sendall(asked(id=1, op="subscribe", channels={couple(world): {}, f"a:b:{number}": {}}))
        for client in clients:
            assert json.dumps(heard(client, most=1).frames[0]).count("true") == 3
        world.capacity(190)
        for client in clients:
            assert heard(client, most=1).frames[0]["op"] == "event"
        if politely:
            for client in clients:
                client.sendall(masked(CLOSE, (1000).to_bytes(2)))
                assert heard(client).code == 1000


@pytest.mark.parametrize("politely", [True, False], ids=["a closing handshake", "a broken connection"])
def test_everything_of_a_socket_is_gone_with_it(world: World, web: Web, politely: bool) -> None:
    come_and_go(world, web, politely=politely)

    until(lambda: held(web) == {}, what="the end of everything that the sockets held")


def test_sockets_that_come_and_go_leave_the_memory_flat(world: World, web: Web) -> None:
    for _ in range(3):
        come_and_go(world, web, politely=False)
    before = resident(web)

    for _ in range(TURNS):
        come_and_go(world, web, politely=False)

    until(lambda: held(web) == {}, what="the end of everything that the sockets held")
    assert resident(web) - before < ROOM
