"""Answers that HTTP does not allow: what is taken of them, and what is an error."""

import socket
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.errors import NetworkError
from integrations.outbound.exchange import exchange
from tests.integrations.outbound.raw_peer import OK, Peer, Play, peer, take_request
from tests.integrations.outbound.test_exchange import Post

BEGUN = [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", OK]


@given(st.sampled_from(BEGUN), st.binary())
def test_no_bytes_make_anything_but_an_answer_or_a_network_error(start: bytes, rest: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, suppress(NetworkError):
        theirs.sendall(start + rest)
        theirs.shutdown(socket.SHUT_WR)
        response, _ = exchange(ours, "POST", b"POST / HTTP/1.1\r\n\r\n", time.monotonic() + 10)
        assert 100 <= response.status <= 999


HEADS = {
    "a folded header": b"HTTP/1.1 %d Said\r\nX-Note: one\r\n  two\r\nContent-Length: 2\r\n\r\nok",
    "two equal lengths": b"HTTP/1.1 %d Said\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    "a length said twice in one": b"HTTP/1.1 %d Said\r\nContent-Length: 2, 2\r\n\r\nok",
    "lines that end with LF": b"HTTP/1.1 %d Said\nContent-Length: 2\nRetry-After: 7\n\nok",
    "one line that ends with LF": b"HTTP/1.1 %d Said\r\nX-Note: one\nContent-Length: 2\r\n\r\nok",
    "a space before a colon": b"HTTP/1.1 %d Said\r\nContent-Length : 2\r\n\r\nok",
    "a line that is no header": b"HTTP/1.1 %d Said\r\nwhat is this\r\nContent-Length: 2\r\n\r\nok",
    "a control character in a value": b"HTTP/1.1 %d Said\r\nX-Note: a\x01b\r\nContent-Length: 2\r\n\r\nok",
    "no length, and LF": b"HTTP/1.0 %d Said\nX-Note: a\n\nok",
}


def _in_pieces(answer: bytes, size: int) -> Play:
    def play(connection: socket.socket, there: Peer) -> None:
        take_request(connection, there)
        for start in range(0, len(answer), size):
            connection.sendall(answer[start : start + size])

    return play


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("status", [200, 503])
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_an_odd_answer_is_still_an_answer_and_its_connection_is_not_used_again(
    name: str, status: int, size: int, post: Post
) -> None:
    with peer(_in_pieces(HEADS[name] % status, size)) as there:
        answers = [post(there.url) for _ in range(2)]

    assert [(answer.status, answer.body) for answer in answers] == [(status, b"ok")] * 2
    assert there.connections == 2


@pytest.mark.parametrize(
    "body", [b"2\nok\n0\n\n", b"2 \r\nok\r\n0\r\n\r\n", b"zz\r\nok\r\n", b"2\r\nokXX\r\n0\r\n\r\n"]
)
def test_a_body_that_is_no_http_takes_nothing_from_the_status(body: bytes, post: Post) -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    with peer(_in_pieces(answer, 4096)) as there:
        assert post(there.url).status == 200


@pytest.mark.parametrize(
    "answer",
    [
        b"220 mail.example ESMTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 what\r\n\r\n",
    ],
)
def test_what_is_no_answer_stays_an_error(answer: bytes, post: Post) -> None:
    with peer(_in_pieces(answer, 4096)) as there, pytest.raises(NetworkError):
        post(there.url)
