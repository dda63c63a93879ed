"""How many sockets a web process has open, and for whom, at real web processes with small quotas."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from tests.live.socket_client import ask, connect
from tests.live.webs import Web, another_web
from tests.live.world import World, make_world
from tests.polling import until


@pytest.fixture
def small(world: World) -> Iterator[Web]:
    """Behind a proxy on this machine: 3 sockets a key, 2 an address, 5 in all."""
    quotas = {
        "WEDSYNC_SOCKETS_PER_KEY": "3",
        "WEDSYNC_SOCKETS_PER_ADDRESS": "2",
        "WEDSYNC_SOCKETS_PER_PROCESS": "5",
        "WEDSYNC_TRUSTED_PROXIES": "127.0.0.1/32",
        "WEDSYNC_SOCKETS_SPARED_NETWORKS": "198.51.100.0/24",
    }
    with another_web(world.product, **quotas) as web:
        yield web


def opened(web: Web, ticket: str, address: str) -> ClientConnection:
    url = f"ws://127.0.0.1:{web.port}/ws/channels/?ticket={ticket}"
    return connect(url, proxy=None, additional_headers={"X-Forwarded-For": address})


def close_code(client: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        client.recv(timeout=5)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def test_over_its_quota_an_address_or_a_key_is_told_3504_until_another_socket_ends(world: World, small: Web) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(opened(small, world.ticket(), "192.0.2.1"))
        second = stack.enter_context(opened(small, world.ticket(), "192.0.2.1"))
        assert ask(first, op="ping")["ok"]
        assert ask(second, op="ping")["ok"]

        with opened(small, world.ticket(), "192.0.2.1") as of_the_address:
            assert close_code(of_the_address) == 3504
        third = stack.enter_context(opened(small, world.ticket(), "192.0.2.2"))
        assert ask(third, op="ping")["ok"]
        with opened(small, world.ticket(), "192.0.2.3") as of_the_key:
            assert close_code(of_the_key) == 3504

        first.close()

        def again() -> bool:
            with opened(small, world.ticket(), "192.0.2.1") as client:
                try:
                    return bool(ask(client, op="ping")["ok"])
                except ConnectionClosed:
                    return False

        until(again, what="the place that is free again")


def test_a_full_process_answers_the_handshake_503_and_says_when_to_come_again(world: World, small: Web) -> None:
    another = make_world(world.product)
    tickets = [world.ticket(), world.ticket(), world.ticket(), another.ticket(), another.ticket()]
    with ExitStack() as stack:
        for ticket in tickets:
            assert ask(stack.enter_context(opened(small, ticket, "198.51.100.9")), op="ping")["ok"]

        with pytest.raises(InvalidStatus) as refused:
            opened(small, world.ticket(), "192.0.2.1")

    assert refused.value.response.status_code == 503
    assert int(refused.value.response.headers["Retry-After"]) > 0
