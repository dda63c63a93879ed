"""Connections that do not get to the point: silent ones, half requests, and sockets that follow nothing."""

import contextlib
import socket as sockets
from collections.abc import Iterator

import pytest
import requests
from websockets.exceptions import ConnectionClosed

from tests.live.socket_client import ask, connect, couple
from tests.live.webs import Web, another_web
from tests.live.world import World
from tests.polling import until

CROWD = 500
HALF = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: "


@pytest.fixture
def hasty(world: World) -> Iterator[Web]:
    """A web process that gives a request's headers 2 s, and a socket 2 s to follow a channel."""
    short = {"WEDSYNC_REQUEST_SECONDS": "2", "WEDSYNC_IDLE_SOCKET_SECONDS": "2"}
    with another_web(world.product, **short) as web:
        yield web


def is_closed(connection: sockets.socket) -> bool:
    connection.settimeout(0.01)
    try:
        return connection.recv(1000) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def answer_of(connection: sockets.socket) -> bytes:
    """What it is sent until its end."""
    connection.settimeout(10)
    found = b""
    while piece := connection.recv(4096):
        found += piece
    return found


def test_crowds_of_silent_connections_and_half_requests_end_and_others_are_served(hasty: Web) -> None:
    with contextlib.ExitStack() as stack:
        crowd = []
        for number in range(2 * CROWD):
            connection = stack.enter_context(sockets.create_connection(("127.0.0.1", hasty.port)))
            if number % 2:
                connection.sendall(HALF)
            crowd.append(connection)

        assert requests.get(f"http://127.0.0.1:{hasty.port}/livez", timeout=5).ok
        for connection in crowd:
            until(lambda connection=connection: is_closed(connection), 20, what="the end of a connection")

    assert "Traceback" not in hasty.log.read_text()


def test_a_half_request_is_told_that_it_took_too_long_also_if_it_drips(hasty: Web) -> None:
    with sockets.create_connection(("127.0.0.1", hasty.port)) as dripping:
        dripping.sendall(HALF)
        dripping.settimeout(0.1)
        found = b""
        while not found:
            with contextlib.suppress(TimeoutError):
                dripping.sendall(b"x")
                found = dripping.recv(4096)
        assert found.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("more", [HALF, b"\r\n", b"GET"], ids=["a half request", "an empty line", "a word"])
def test_a_connection_that_was_served_before_has_no_more_time_for_its_next_request(hasty: Web, more: bytes) -> None:
    with sockets.create_connection(("127.0.0.1", hasty.port)) as kept:
        kept.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        kept.settimeout(5)
        assert b" 200 " in kept.recv(4096)

        kept.sendall(more)

        assert b" 408 " in answer_of(kept)


def test_headers_without_end_are_refused(hasty: Web) -> None:
    with sockets.create_connection(("127.0.0.1", hasty.port)) as endless:
        endless.sendall(HALF + b"x" * 70_000)

        assert answer_of(endless).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "headers", [b"X: " + b"x" * 20_000, b"\r\n".join(b"X-%d: x" % number for number in range(200))]
)
def test_a_handshake_with_too_many_headers_is_refused(hasty: Web, headers: bytes) -> None:
    with sockets.create_connection(("127.0.0.1", hasty.port)) as client:
        client.sendall(
            b"GET /ws/channels/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" + headers + b"\r\n\r\n"
        )

        assert answer_of(client).startswith(b"HTTP/1.1 431 ")
    assert "Traceback" not in hasty.log.read_text()


def test_a_socket_that_follows_nothing_is_closed_and_one_that_follows_stays(world: World, hasty: Web) -> None:
    url = f"ws://127.0.0.1:{hasty.port}/ws/channels/?ticket="
    with connect(url + world.ticket(), proxy=None) as following, connect(url + world.ticket(), proxy=None) as idle:
        assert ask(following, op="subscribe", channel=couple(world))["ok"]
        assert ask(idle, op="ping")["ok"]

        with pytest.raises(ConnectionClosed) as closed:
            idle.recv(timeout=10)

        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 3011
        assert ask(following, op="unsubscribe", channel=couple(world))["ok"]
        with pytest.raises(ConnectionClosed) as closed_later:
            following.recv(timeout=10)
        assert closed_later.value.rcvd is not None
        assert closed_later.value.rcvd.code == 3011
