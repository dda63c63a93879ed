"""What leaves, what is taken of the answer, and what is said when nothing whole comes back."""

import logging
import resource
import socket
import struct
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from integrations.errors import NetworkError, NoRoom, OurFault, Permanent
from integrations.outbound import Response, check_status
from integrations.states import Outcome
from tests.integrations.outbound.raw_peer import OK, Peer, Play, answering, peer, take_request
from tests.ports import free_port

Post = Callable[..., Response]


def _closing(answer: bytes) -> Play:
    def play(connection: socket.socket, there: Peer) -> None:
        take_request(connection, there)
        connection.sendall(answer)

    return play


def _resetting(connection: socket.socket, there: Peer) -> None:
    take_request(connection, there)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_a_request_leaves_as_it_was_written(post: Post) -> None:
    with peer(answering()) as there:
        post(f"{there.url}/a b/ü?x=1&y=%20#part", body=b'{"a": 1}', Authorization="Bearer t", Cookie="a=b")
    head, _, body = there.requests[0].partition(b"\r\n\r\n")
    first, *headers = head.decode().split("\r\n")
    assert first == "POST /hook/a%20b/%C3%BC?x=1&y=%20 HTTP/1.1"
    assert sorted(headers) == [
        "Accept-Encoding: identity",
        "Accept: */*",
        "Authorization: Bearer t",
        "Content-Length: 8",
        "Cookie: a=b",
        f"Host: 127.0.0.1:{there.port}",
        "User-Agent: WedSync/1",
    ]
    assert body == b'{"a": 1}'


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer a\r\nX-Other: b"},
        {"Authorization": "Bearer a\nb"},
        {"Authorization": "Bearer \x00"},
        {"Authorization": "Bearer 🎉"},
        {"X Y": "z"},
        {"": "z"},
        {"Host": "other.example"},
        {"content-length": "1"},
        {"Transfer-Encoding": "chunked"},
    ],
)
def test_a_header_that_http_can_not_carry_is_our_fault_and_is_not_repeated(post: Post, headers: dict[str, str]) -> None:
    with peer(answering()) as there:
        with pytest.raises(OurFault) as raised:
            post(there.url, **headers)
        assert there.connections == 0
    assert "Bearer" not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nX: y\r\n\r\n", 200, b"abc"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
        (b"HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\nuntil the end", 500, b"until the end"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, 200, b"ok"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n\x00\x00", 101, b""),
        (OK + OK, 200, b"ok"),
        (OK + b"nonsense", 200, b"ok"),
    ],
)
def test_answers_of_all_forms_are_read(post: Post, answer: bytes, status: int, body: bytes) -> None:
    with peer(_closing(answer)) as there:
        response = post(there.url)
    assert (response.status, response.body) == (status, body)
    assert "link" not in response.headers


def test_a_body_is_taken_up_to_64_kib_and_as_it_comes(post: Post) -> None:
    zeros = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 99999\r\n\r\n" + b"\x1f\x8b" + b"0" * 99997
    with peer(answering(zeros)) as there:
        assert len(post(there.url).body) == 64 * 1024
        assert post(there.url).body.startswith(b"\x1f\x8b00"), "never unpacked"
        assert there.connections == 2, "what is left of a body is not waited for"


def test_a_redirect_is_not_followed(post: Post) -> None:
    with peer(answering(OK)) as elsewhere:
        moved = f"HTTP/1.1 307 Moved\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n".encode()
        with peer(answering(moved)) as there:
            response = post(there.url)
        assert elsewhere.connections == 0
    with pytest.raises(Permanent, match="307"):
        check_status(response)


def test_headers_given_twice_are_joined_and_their_names_are_in_lower_case(post: Post) -> None:
    with peer(
        answering(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")
    ) as there:
        assert post(there.url).headers == {"x-a": "1, 2", "set-cookie": "a=b", "content-length": "0"}
        post(there.url)
        assert b"a=b" not in there.requests[1], "cookies are not kept"


def test_a_refused_connection_has_sent_nothing(post: Post) -> None:
    with pytest.raises(NetworkError, match="refused") as raised:
        post(f"http://127.0.0.1:{free_port()}/secret")
    assert raised.value.outcome == Outcome.FAILED
    assert "secret" not in str(raised.value)


def test_a_process_without_a_file_to_spare_blames_nobody_else(post: Post) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with peer(answering()) as there:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            with pytest.raises(NoRoom) as raised:
                post(there.url)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert raised.value.outcome == Outcome.FAILED
        assert not raised.value.counts_for_breaker
        assert post(there.url).status == 200


@pytest.mark.parametrize(
    "play",
    [
        pytest.param(_resetting, id="reset"),
        pytest.param(_closing(b""), id="closed without an answer"),
        pytest.param(_closing(b"HTTP/1.1 20"), id="closed in the head"),
        pytest.param(_closing(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"), id="closed in the body"),
        pytest.param(_closing(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab"), id="closed in a chunk"),
        pytest.param(_closing(b"SSH-2.0-OpenSSH\r\n"), id="no HTTP"),
        pytest.param(
            _closing(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), id="two lengths"
        ),
    ],
)
def test_what_breaks_after_the_request_left_is_of_unknown_outcome(post: Post, play: Play) -> None:
    with peer(play) as there:
        with pytest.raises(NetworkError) as raised:
            post(there.url)
        assert len(there.requests) == 1, "nothing is sent twice"
    assert raised.value.outcome == Outcome.UNKNOWN


def test_an_answer_before_the_whole_request_was_read_counts(post: Post) -> None:
    def play(connection: socket.socket, there: Peer) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    with peer(play) as there:
        assert post(there.url, body=b"x" * 5_000_000).status == 413


def test_a_kept_connection_that_breaks_as_we_send_is_of_unknown_outcome_too(post: Post) -> None:
    def play(connection: socket.socket, there: Peer) -> None:
        take_request(connection, there)
        connection.sendall(OK)
        take_request(connection, there)

    with peer(play) as there:
        post(there.url)
        with pytest.raises(NetworkError) as raised:
            post(there.url)
        assert (there.connections, len(there.requests)) == (1, 2)
    assert raised.value.outcome == Outcome.UNKNOWN


def test_a_connection_that_was_closed_meanwhile_is_replaced(post: Post) -> None:
    closed = threading.Event()

    def play(connection: socket.socket, there: Peer) -> None:
        take_request(connection, there)
        connection.sendall(OK)
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    with peer(play) as there:
        for _ in range(3):
            closed.clear()
            assert post(there.url).status == 200
            assert closed.wait(10)
        assert there.connections == 3


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1, max=5\r\nContent-Length: 0\r\n\r\n",
        OK + b"more than was asked for",
    ],
    ids=["close", "HTTP/1.0", "about to close", "excess"],
)
def test_a_connection_is_used_again_only_where_that_is_safe(post: Post, answer: bytes) -> None:
    with peer(answering(answer)) as there:
        post(there.url)
        post(there.url)
        assert there.connections == 2


def test_calls_at_once_share_a_few_connections_and_never_an_answer(post: Post) -> None:
    def echo(connection: socket.socket, there: Peer) -> None:
        while request := take_request(connection, there):
            body = request.partition(b"\r\n\r\n")[2]
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    with peer(echo) as there, ThreadPoolExecutor(8) as pool:
        bodies = [str(number).encode() for number in range(400)]
        assert list(pool.map(lambda body: post(there.url, body=body).body, bodies)) == bodies
        assert there.connections <= 8


def test_an_answer_to_head_has_no_body(post: Post) -> None:
    def play(connection: socket.socket, there: Peer) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        there.over.wait()

    with peer(play) as there:
        assert post(there.url, method="HEAD", body=b"").body == b""


def test_logs_say_nothing_of_a_call(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), peer(answering()) as there:
        post(f"{there.url}/secret", Authorization="Bearer secret")
    assert "secret" not in caplog.text
    assert not logging.getLogger("urllib3.connectionpool").isEnabledFor(logging.WARNING), "it would name paths"
