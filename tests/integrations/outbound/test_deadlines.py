"""A call ends at its deadline, whatever the other side does. Each peer here goes on until the test is over."""

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from integrations.errors import NetworkError, TimedOut
from integrations.outbound import Response
from integrations.states import Outcome
from tests.integrations.outbound.raw_peer import OK, Peer, Play, dripping, peer, take_request

Post = Callable[..., Response]
HEAD = b"HTTP/1.1 200 OK\r\n"
SHORT = 0.4


def _silent(connection: socket.socket, there: Peer) -> None:
    take_request(connection, there)
    there.over.wait()


@pytest.mark.parametrize(
    "play",
    [
        pytest.param(_silent, id="never answers"),
        pytest.param(dripping(HEAD, b"X: y\r\n"), id="drips headers"),
        pytest.param(dripping(HEAD + b"X: ", b"y"), id="drips one header"),
        pytest.param(dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="answers in the interim for ever"),
        pytest.param(dripping(HEAD + b"Content-Length: 9999\r\n\r\n", b"x"), id="drips a body"),
        pytest.param(dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"), id="drips chunks"),
        pytest.param(dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"), id="drips a chunk's extension"),
        pytest.param(dripping(HEAD + b"\r\n", b"x"), id="drips a body without a length"),
    ],
)
def test_an_answer_that_does_not_come_to_its_end_is_cut_off(post: Post, play: Play) -> None:
    with peer(play) as there, pytest.raises(TimedOut) as raised:
        post(there.url, deadline=SHORT)
    assert raised.value.outcome == Outcome.UNKNOWN


def test_a_peer_that_does_not_read_the_body_is_cut_off(post: Post) -> None:
    def play(connection: socket.socket, there: Peer) -> None:
        there.over.wait()

    with peer(play) as there, pytest.raises(TimedOut) as raised:
        post(there.url, deadline=SHORT, body=b"x" * 20_000_000)
    assert raised.value.outcome == Outcome.UNKNOWN


def test_a_peer_that_reads_the_body_drop_by_drop_is_cut_off(post: Post) -> None:
    def play(connection: socket.socket, there: Peer) -> None:
        while not there.over.wait(0.01) and connection.recv(4096):
            pass

    with peer(play) as there, pytest.raises(TimedOut):
        post(there.url, deadline=SHORT, body=b"x" * 20_000_000)


@pytest.mark.parametrize("drop", [b"", b"\x00"], ids=["silent", "dripping"])
def test_a_tls_handshake_that_does_not_end_is_cut_off_and_nothing_was_sent(post: Post, drop: bytes) -> None:
    def play(connection: socket.socket, there: Peer) -> None:
        connection.sendall(b"\x16\x03\x03\x40\x00" if drop else b"")
        while not there.over.wait(0.02):
            connection.sendall(drop)

    with peer(play) as there, pytest.raises(NetworkError, match="TLS") as raised:
        post(f"https://127.0.0.1:{there.port}/", deadline=SHORT)
    assert raised.value.outcome == Outcome.FAILED


def test_an_endless_body_counts_as_answered_and_is_left_after_64_kib(post: Post) -> None:
    left = threading.Event()

    def play(connection: socket.socket, there: Peer) -> None:
        take_request(connection, there)
        connection.sendall(HEAD + b"\r\n")
        try:
            while True:
                connection.sendall(b"x" * 4096)
        except OSError:
            left.set()

    with peer(play) as there:
        response = post(there.url)
        assert (response.status, len(response.body)) == (200, 64 * 1024)
        assert left.wait(10), "the connection is dropped"


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nX: "], ids=["lines", "one line"])
def test_an_endless_head_is_not_collected(post: Post, start: bytes) -> None:
    piece = b"X: y\r\n" * 1000 if start.endswith(b"\n") else b"y" * 4096

    def play(connection: socket.socket, there: Peer) -> None:
        take_request(connection, there)
        connection.sendall(start)
        while True:
            connection.sendall(piece)

    with peer(play) as there, pytest.raises(NetworkError, match="head") as raised:
        post(there.url)
    assert raised.value.outcome == Outcome.UNKNOWN


def test_chunks_that_hold_almost_nothing_are_not_read_for_ever(post: Post) -> None:
    def play(connection: socket.socket, there: Peer) -> None:
        take_request(connection, there)
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;")
        while True:
            connection.sendall(b"x" * 4096)

    with peer(play) as there:
        assert post(there.url).status == 200


def test_a_name_server_that_never_answers_is_left_and_nothing_was_sent(post: Post, resolver: Any) -> None:
    awake = threading.Event()

    def silent(host: str) -> list[str]:
        awake.wait()
        return ["127.0.0.1"]

    resolver(silent)
    try:
        with pytest.raises(NetworkError, match="name servers") as raised:
            post("https://silent.example:443/", deadline=SHORT)
        assert raised.value.outcome == Outcome.FAILED
    finally:
        awake.set()


def test_a_whole_answer_is_taken_though_it_comes_byte_by_byte(post: Post) -> None:
    def play(connection: socket.socket, there: Peer) -> None:
        while take_request(connection, there):
            for byte in OK:
                connection.sendall(bytes([byte]))

    with peer(play) as there:
        assert post(there.url).body == b"ok"
