"""Where several things are wrong at once, the first check in the published order answers; and every way of asking."""

import socket
from collections.abc import Callable

import pytest

from tests.live.product import Product
from tests.senders import JSON, PATH, Answer, Sender, make_sender, moved

TEXT = ("Content-Type", "text/plain")
LARGEST = 256 * 1024
Ask = Callable[[Sender], Answer]

UNKNOWN = (404, "connection-unknown")
NOT_POST = (405, "method-not-allowed")
TOO_LARGE = (413, "body-too-large")
WRONG_TYPE = (415, "unsupported-media-type")


def large(sender: Sender) -> bytes:
    return sender.body({"note": "x" * LARGEST})


def signed(sender: Sender, body: bytes) -> Answer:
    return sender.post(body)


PAIRS: list[tuple[str, tuple[int, str], Ask]] = [
    ("no connection, no POST", UNKNOWN, lambda s: s.ask(b"", [], method="GET", path=f"{PATH}/wsc_nobody")),
    ("no connection, too large", UNKNOWN, lambda s: s.ask(large(s), [TEXT], path=f"{PATH}/wsc_nobody")),
    ("no POST, too large", NOT_POST, lambda s: s.ask(large(s), [JSON], method="PUT")),
    ("no POST, wrong type", NOT_POST, lambda s: s.ask(b"{", [TEXT], method="PATCH")),
    ("no POST, well signed", NOT_POST, lambda s: s.ask(s.body(), [JSON, *s.sign(s.body()).items()], method="DELETE")),
    ("too large, wrong type", TOO_LARGE, lambda s: s.ask(large(s), [TEXT])),
    ("too large, no signature", TOO_LARGE, lambda s: s.ask(large(s), [JSON])),
    ("too large, well signed", TOO_LARGE, lambda s: s.post(large(s))),
    ("wrong type, no signature", WRONG_TYPE, lambda s: s.ask(s.body(), [TEXT])),
    ("no type, no signature", WRONG_TYPE, lambda s: s.ask(s.body(), [])),
    ("packed, no signature", WRONG_TYPE, lambda s: s.ask(s.body(), [JSON, ("Content-Encoding", "gzip")])),
    ("no signature, no JSON", (401, "signature-missing"), lambda s: s.ask(b"{", [JSON])),
    (
        "wrong signature, no JSON",
        (401, "signature-mismatch"),
        lambda s: s.ask(b"{", [JSON, *s.sign(b"{", secret=s.scheme.new_secret()).items()]),
    ),
    (
        "stale, no JSON",
        (401, "timestamp-outside-window"),
        lambda s: s.ask(b"{", [JSON, *s.sign(b"{", ahead=-400).items()]),
    ),
    ("no JSON, early", (400, "not-json"), lambda s: signed(s, s.body({"a": float("nan")}, timestamp=moved(days=-1)))),
    ("no envelope, early", (400, "bad-envelope"), lambda s: signed(s, s.body(id=1, timestamp=moved(days=-1)))),
    ("early, NUL", (400, "bad-envelope"), lambda s: signed(s, s.body({"a": "\x00"}, timestamp=moved(days=-1)))),
    ("early, schema", (400, "bad-envelope"), lambda s: signed(s, s.body({"capacity": "x"}, timestamp=moved(days=-1)))),
]


@pytest.fixture
def sender(product: Product) -> Sender:
    return make_sender(product.port, "venue_master")


@pytest.mark.parametrize(("outcome", "ask"), [pair[1:] for pair in PAIRS], ids=[pair[0] for pair in PAIRS])
def test_of_two_faults_the_first_check_answers(sender: Sender, outcome: tuple[int, str], ask: Ask) -> None:
    assert ask(sender).outcome == outcome
    assert sender.stored() == (0, 0, 0)


def test_a_used_id_is_looked_at_last(sender: Sender) -> None:
    sender.post(sender.body(id="one"))

    assert sender.post(sender.body({"capacity": "x"}, id="one")).outcome == (422, "schema-violation")
    assert sender.stored() == (1, 1, 1)


def test_the_path_names_the_connection_and_only_then_the_header(sender: Sender) -> None:
    other = make_sender(sender.port, "shootq")
    named = ("X-WedSync-Connection", other.connection.id)

    assert sender.ask(sender.body(), [JSON, named]).outcome == (401, "signature-missing")
    body = sender.body()
    assert sender.ask(body, [JSON, named, *sender.sign(body).items()]).outcome == (202, "accepted")
    assert other.stored() == (0, 0, 0)


@pytest.mark.parametrize(
    "path",
    [
        "{0}%2f..", "{0}%00", "%00", "{0}%20", "{0}x", "x{0}", "{0}/x", "..%2f{0}", "%F0%9F%92%8D", "%ff",
        "{0};a=1", "x" * 41, "x" * 5_000, "{0}%0d%0aX-Odd:%201", "'%20OR%201=1", "%25s", "{{0}}",
    ],
    ids=lambda path: path[:20],
)  # fmt: skip
def test_an_odd_path_names_no_connection(sender: Sender, path: str) -> None:
    body = sender.body()
    answer = sender.ask(body, [JSON, *sender.sign(body).items()], path=f"{PATH}/{path.format(sender.connection.id)}")

    assert answer.outcome == UNKNOWN


def test_slashes_around_the_connections_id_do_not_matter(sender: Sender) -> None:
    for path in (f"{sender.path}/", f"{PATH}//{sender.connection.id}", f"{sender.path}%2F"):
        body = sender.body()
        assert sender.ask(body, [JSON, *sender.sign(body).items()], path=path).outcome == (202, "accepted")


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
def test_a_method_that_is_not_post_is_told_so(sender: Sender, method: str) -> None:
    answer = sender.ask(b"", [], method=method)

    assert answer.outcome == NOT_POST
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "value", ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8", " application/json ;x=1"]
)
def test_json_is_json_however_its_type_is_written(sender: Sender, value: str) -> None:
    body = sender.body()

    assert sender.ask(body, [("Content-Type", value), *sender.sign(body).items()]).outcome == (202, "accepted")


@pytest.mark.parametrize("value", ["", "text/json", "application/jsonp", "application/problem+json", "json", "*/*"])
def test_another_type_is_415(sender: Sender, value: str) -> None:
    body = sender.body()

    assert sender.ask(body, [("Content-Type", value), *sender.sign(body).items()]).outcome == WRONG_TYPE


def exchange(port: int, sent: bytes) -> bytes:
    """What comes back on one connection, until the other side closes it."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as stream:
        stream.sendall(sent)
        received = b""
        while piece := stream.recv(65536):
            received += piece
        return received


def head(sender: Sender, body: bytes, *extra: str) -> bytes:
    signature = [f"{name}: {value}" for name, value in sender.sign(body).items()]
    lines = [f"POST {sender.path} HTTP/1.1", "Host: x", "Content-Type: application/json", *signature, *extra]
    return "\r\n".join([*lines, "", ""]).encode()


def test_a_body_may_come_in_chunks(sender: Sender) -> None:
    body = sender.body()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(body[at : at + 50]), body[at : at + 50]) for at in range(0, len(body), 50))
    whole = head(sender, body, "Transfer-Encoding: chunked", "Connection: close") + chunks + b"0\r\n\r\n"

    assert exchange(sender.port, whole).startswith(b"HTTP/1.1 202 ")


def test_chunks_are_counted_while_they_come(sender: Sender) -> None:
    body = b"x" * (LARGEST + 1)
    chunk = b"%x\r\n%b\r\n" % (len(body), body)

    received = exchange(sender.port, head(sender, body, "Transfer-Encoding: chunked", "Connection: close") + chunk)

    assert received.startswith(b"HTTP/1.1 413 ")


def test_a_body_that_is_announced_too_large_is_refused_before_it_comes(sender: Sender) -> None:
    received = exchange(sender.port, head(sender, b"", f"Content-Length: {LARGEST + 1}", "Connection: close"))

    assert received.startswith(b"HTTP/1.1 413 ")


def test_a_sender_that_leaves_in_the_middle_of_its_body_leaves_nothing(sender: Sender) -> None:
    body = sender.body()

    with socket.create_connection(("127.0.0.1", sender.port), timeout=10) as stream:
        stream.sendall(head(sender, body, f"Content-Length: {len(body)}") + body[:-10])

    assert sender.post(sender.body()).outcome == (202, "accepted")
    assert sender.stored() == (1, 1, 1)


def test_requests_one_behind_the_other_on_one_connection_are_answered_in_their_order(sender: Sender) -> None:
    bodies = [sender.body(), b"{", sender.body()]
    requests = b"".join(head(sender, body, f"Content-Length: {len(body)}") + body for body in bodies[:2])
    last = head(sender, bodies[2], f"Content-Length: {len(bodies[2])}", "Connection: close") + bodies[2]

    received = exchange(sender.port, requests + last)

    codes = [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]]
    assert codes == [b"202", b"400", b"202"]
    assert sender.stored() == (2, 2, 2)


def test_a_sender_that_asks_first_is_told_to_go_on(sender: Sender) -> None:
    body = sender.body()
    extra = (f"Content-Length: {len(body)}", "Expect: 100-continue", "Connection: close")

    with socket.create_connection(("127.0.0.1", sender.port), timeout=10) as stream:
        stream.sendall(head(sender, body, *extra))
        assert stream.recv(65536).startswith(b"HTTP/1.1 100 ")
        stream.sendall(body)
        assert stream.recv(65536).startswith(b"HTTP/1.1 202 ")
