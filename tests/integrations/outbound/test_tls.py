"""https: the certificate must be for the name in the URL, whatever address that leads to."""

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from integrations.errors import NetworkError, TimedOut
from integrations.outbound import Response
from integrations.outbound.connections import tls_context
from integrations.states import Outcome
from tests.integrations.outbound.certificates import self_signed, server_context
from tests.integrations.outbound.raw_peer import Peer, answering, peer

Post = Callable[..., Response]
HOST = "venue.example"


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A certificate for :data:`HOST`, made an authority the way that an operator does it."""
    file = self_signed(tmp_path, HOST)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    tls_context.cache_clear()
    yield file
    tls_context.cache_clear()


def test_name_and_certificate_stay_those_of_the_url(post: Post, resolver: Any, trusted: Path) -> None:
    resolver(lambda host: ["127.0.0.1"])
    names: list[str | None] = []
    with peer(answering(), tls=server_context(trusted, names)) as there:
        for _ in range(3):
            assert post(f"https://{HOST}:{there.port}/hook").body == b"ok"

        assert names == [HOST], "one handshake for three calls"
        assert all(f"\r\nHost: {HOST}:{there.port}\r\n".encode() in request for request in there.requests)


def test_a_certificate_for_another_name_is_not_accepted(post: Post, resolver: Any, trusted: Path) -> None:
    resolver(lambda host: ["127.0.0.1"])
    with peer(answering(), tls=server_context(trusted, [])) as there:
        with pytest.raises(NetworkError, match=r"certificate was not accepted.*other\.example") as raised:
            post(f"https://other.example:{there.port}/secret")
        assert there.requests == []
    assert raised.value.outcome == Outcome.FAILED
    assert "secret" not in str(raised.value)


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(post: Post, tmp_path: Path) -> None:
    with peer(answering(), tls=server_context(self_signed(tmp_path, "127.0.0.1"), [])) as there:
        with pytest.raises(NetworkError, match="certificate was not accepted") as raised:
            post(f"https://127.0.0.1:{there.port}/")
        assert there.requests == []
    assert raised.value.outcome == Outcome.FAILED


def test_a_peer_that_speaks_no_tls_gets_nothing_of_the_request(post: Post) -> None:
    seen: list[bytes] = []

    def play(connection: socket.socket, there: Peer) -> None:
        seen.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with peer(play) as there:
        with pytest.raises(NetworkError, match="TLS handshake failed") as raised:
            post(f"https://127.0.0.1:{there.port}/hook")
        assert b"hook" not in seen[0]
    assert raised.value.outcome == Outcome.FAILED


@pytest.mark.parametrize("record", [b"x", b"x" * 16000], ids=["a byte in each record", "one record byte by byte"])
def test_an_answer_that_drips_inside_tls_is_cut_off(post: Post, resolver: Any, trusted: Path, record: bytes) -> None:
    resolver(lambda host: ["127.0.0.1"])

    def play(connection: socket.socket, there: Peer) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        secured = server_context(trusted, []).wrap_bio(incoming, outgoing, server_side=True)
        _converse(secured.do_handshake, connection, incoming, outgoing)
        _converse(lambda: secured.read(65536), connection, incoming, outgoing)
        secured.write(b"HTTP/1.1 200 OK\r\n\r\n")
        connection.sendall(outgoing.read())
        while True:
            secured.write(record)
            for byte in outgoing.read():
                connection.sendall(bytes([byte]))
                if there.over.wait(0.01):
                    return

    with peer(play) as there, pytest.raises(TimedOut, match="did not end"):
        post(f"https://{HOST}:{there.port}/", deadline=0.6)


def _converse(
    step: Callable[[], object], sock: socket.socket, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO
) -> None:
    """Do one step of TLS, with bytes carried by hand."""
    while True:
        try:
            step()
        except ssl.SSLWantReadError:
            sock.sendall(outgoing.read())
            incoming.write(sock.recv(65536))
        else:
            return sock.sendall(outgoing.read())
