"""Strangers who send slowly, read slowly, or never finish: everybody else is still served by the real web process."""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.factories import ApiKeyFactory, ConnectionFactory
from tests.live.product import Product
from tests.live.webs import Web, another_web
from tests.polling import until
from tests.raw_http import RawConnection, chunked
from tests.senders import PATH, make_sender
from wedsync.live.models import Ticket

MIB = 1024 * 1024
THREADS = 10
"""Of the pages; what all of them wait for stops every page."""
DOORS = (
    "/unsubscribe/x/",
    "/acknowledge/x/",
    "/admin/login/",
    "/",
    "/nothing/here",
    "/static/console/icon.svg",
    "/api/journey/",
    "/api/channels/tickets/",
    "/api/integrations/systems/",
    "/api/schema/",
)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
UNFINISHED: dict[str, tuple[dict[str, str], bytes]] = {
    "announced": ({"Content-Length": "1000"}, b"a=1"),
    "announced, and nothing of it": ({"Content-Length": "1000"}, b""),
    "in chunks": ({"Transfer-Encoding": "chunked"}, b"3\r\na=1\r\n"),
    "in the middle of a chunk": ({"Transfer-Encoding": "chunked"}, b"3e8\r\na=1"),
    "told to go on": ({"Content-Length": "1000", "Expect": "100-continue"}, b""),
}


@pytest.fixture(scope="module")
def quick(product: Product) -> Iterator[Web]:
    """A web process with little patience and little room."""
    with another_web(
        product,
        WEDSYNC_BODY_IDLE_SECONDS="1",
        WEDSYNC_BODIES_AT_ONCE_BYTES=str(2 * MIB),
        WEDSYNC_IMPORT_LARGEST_BYTES=str(3 * MIB // 2),
    ) as started:
        yield started


@pytest.fixture
def at(product: Product, path: str) -> str:
    """The path itself; of a vendor's or a provider's door that of a real connection."""
    if path == "vendor":
        return f"{PATH}/{make_sender(product.port, 'venue_master').connection.id}"
    if path == "provider":
        return f"/api/webhooks/providers/whatsapp/{ConnectionFactory(system__kind='whatsapp').id}"
    return path


def page_is_served(port: int) -> bool:
    return requests.get(f"http://127.0.0.1:{port}/admin/login/", timeout=5).status_code == 200


@pytest.mark.parametrize("kind", UNFINISHED)
@pytest.mark.parametrize("path", DOORS)
def test_bodies_that_never_end_hold_no_thread(product: Product, path: str, kind: str) -> None:
    headers, begun = UNFINISHED[kind]
    with contextlib.ExitStack() as open_ones:
        for _ in range(THREADS + 2):
            stranger = open_ones.enter_context(RawConnection(product.port))
            stranger.ask("POST", path, FORM | headers, begun)

        assert page_is_served(product.port)


@pytest.mark.parametrize("path", ["/unsubscribe/x/", "/admin/login/", "/api/journey/", "vendor", "provider"])
def test_a_body_that_stops_is_answered_408_and_its_connection_is_closed(quick: Web, at: str) -> None:
    """All kinds at once, since each waits for the server's patience to end."""
    with contextlib.ExitStack() as open_ones:
        strangers = {kind: open_ones.enter_context(RawConnection(quick.port)) for kind in UNFINISHED}
        for kind, stranger in strangers.items():
            headers, begun = UNFINISHED[kind]
            stranger.ask("POST", at, {"Content-Type": "application/json"} | headers, begun)
            if "Expect" in headers:
                assert stranger.socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"

        for kind, stranger in strangers.items():
            answer = stranger.answer()

            assert answer.problem == (408, "body-too-slow"), kind
            assert answer.headers["connection"] == "close", kind
            assert stranger.is_closed_by_peer(), kind


@pytest.mark.parametrize("path", ["/unsubscribe/x/", "/api/journey/", "vendor", "provider"])
def test_a_body_that_only_drips_is_answered_408(quick: Web, at: str) -> None:
    """More often than the longest pause, and far below 8 KiB a second."""
    with RawConnection(quick.port) as stranger:
        stranger.ask("POST", at, {"Content-Type": "application/json", "Content-Length": "100000"})
        stranger.socket.settimeout(0.05)
        for _ in range(200):
            with contextlib.suppress(TimeoutError, ConnectionError):
                stranger.send(b" ")
                if stranger.socket.recv(1, 2):  # MSG_PEEK: something was said
                    break
        stranger.socket.settimeout(5)

        assert stranger.answer().problem == (408, "body-too-slow")


@pytest.mark.parametrize("framed", ["announced", "in chunks"])
@pytest.mark.parametrize(
    ("path", "largest"),
    [
        ("/unsubscribe/x/", MIB),
        ("/admin/login/", MIB),
        ("/api/journey/", MIB),
        ("/admin/weddings/wedding/import/", 3 * MIB // 2),
    ],
)
def test_a_body_may_have_so_many_bytes_and_one_more_is_413(quick: Web, path: str, largest: int, framed: str) -> None:
    def ask(size: int) -> Any:
        body = b"x" * size
        with RawConnection(quick.port) as sender:
            if framed == "announced":
                sender.ask("POST", path, FORM | {"Content-Length": str(size)}, body)
            else:
                pieces = (body[at : at + 50_000] for at in range(0, size, 50_000))
                sender.ask("POST", path, FORM | {"Transfer-Encoding": "chunked"}, chunked(pieces))
            return sender.answer()

    assert ask(largest).status != 413 or path.startswith("/api/")  # below it the API allows 256 KiB of JSON
    too_large = ask(largest + 1)
    assert too_large.problem == (413, "body-too-large")
    assert str(largest) in too_large.json["detail"]
    assert too_large.headers["connection"] == "close"


def test_a_length_that_is_too_large_is_refused_before_any_of_it_is_sent(quick: Web) -> None:
    with RawConnection(quick.port) as sender:
        sender.ask("POST", "/admin/login/", FORM | {"Content-Length": str(150 * MIB)})

        assert sender.answer().problem == (413, "body-too-large")


def test_all_bodies_together_have_a_bound_and_the_oldest_unfinished_one_gives_way(quick: Web) -> None:
    with contextlib.ExitStack() as open_ones:
        first, second, third = (open_ones.enter_context(RawConnection(quick.port)) for _ in range(3))
        for each in (first, second):
            each.ask("POST", "/admin/login/", FORM | {"Content-Length": str(MIB)}, b"x" * (MIB - 1))
        third.ask("POST", "/admin/login/", FORM | {"Content-Length": str(MIB)}, b"x" * MIB)

        answer = first.answer()

        assert answer.problem == (503, "too-much-at-once")
        assert answer.headers["retry-after"]
        assert third.answer().status == 403  # it was read whole, and holds no CSRF token


def test_people_who_left_are_not_worked_for_and_disturb_nobody(product: Product) -> None:
    before = len(product.log("web"))
    for path in DOORS:
        for headers, begun in UNFINISHED.values():
            with RawConnection(product.port) as stranger:
                stranger.ask("POST", path, FORM | headers, begun)

    assert page_is_served(product.port)
    assert "Traceback" not in product.log("web")[before:]


LARGE = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"
MORE_THAN_BUFFERS_HOLD = 8
"""Answers of more than 1 MiB each; a kernel takes some MiB for a reader who takes nothing."""


def test_readers_who_take_nothing_of_large_answers_hold_no_thread(product: Product) -> None:
    with contextlib.ExitStack() as open_ones:
        readers = [open_ones.enter_context(RawConnection(product.port, buffer=4096)) for _ in range(THREADS + 2)]
        for reader in readers:
            for _ in range(MORE_THAN_BUFFERS_HOLD):
                reader.ask("GET", LARGE)

        assert page_is_served(product.port)
        whole = readers[0].answer()

    assert (whole.status, len(whole.body)) == (200, int(whole.headers["content-length"]))
    assert len(whole.body) > MIB


def test_a_reader_who_takes_nothing_is_cut_off(quick: Web) -> None:
    with RawConnection(quick.port, buffer=4096) as reader:
        for _ in range(MORE_THAN_BUFFERS_HOLD):
            reader.ask("GET", LARGE)

        until(lambda: "answer_cut_off" in quick.log.read_text(), 15, what="the reader being cut off")


@pytest.fixture
def key(product: Product) -> str:
    key = f"wsk_{uuid4().hex}"
    ApiKeyFactory(key=key)
    return key


@pytest.mark.parametrize("split", [1, 7, 10_000], ids=["each byte", "some bytes", "at once"])
def test_a_body_in_chunks_is_read_like_any_other(product: Product, key: str, split: int) -> None:
    """A ticket for one channel that loses its body opens all channels."""
    body = json.dumps({"channels": ["form:response:1"]}).encode()
    pieces = (body[at : at + split] for at in range(0, len(body), split))
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    with RawConnection(product.port) as client:
        client.ask("POST", "/api/channels/tickets/", headers, chunked(pieces))
        answer = client.answer()
        client.ask("GET", "/livez")  # the connection is still in order
        next_one = client.answer()

    assert (answer.status, next_one.status) == (201, 200)
    hashed = hashlib.sha256(answer.json["ticket"].encode()).hexdigest()
    assert Ticket.objects.get(token_hash=hashed).channels == ["form:response:1"]


def test_a_secret_that_is_replaced_at_once_by_a_body_in_chunks_leaves_no_old_one_alive(product: Product) -> None:
    sender = make_sender(product.port, "venue_master")
    ApiKeyFactory(organization=sender.connection.organization, key=f"wsk_{sender.connection.id}")

    answer = requests.post(
        f"{product.base_url}/api/integrations/connections/{sender.connection.id}/secrets/",
        data=iter([b'{"overlap_', b'seconds": 0}']),
        headers={"Authorization": f"Bearer wsk_{sender.connection.id}", "Content-Type": "application/json"},
        timeout=10,
    )

    assert answer.status_code == 201, answer.text
    until(
        lambda: sender.post(sender.body()).outcome == (401, "signature-mismatch"), what="the old secret being refused"
    )


@pytest.mark.parametrize(
    ("path", "code"),
    [(f"{PATH}/wsc_nobody", 404), ("/api/webhooks/providers/whatsapp/nobody", 404), ("/livez", 405)],
)
def test_an_answer_that_comes_before_an_expected_body_closes_the_connection(
    product: Product, path: str, code: int
) -> None:
    with RawConnection(product.port) as sender:
        sender.ask("POST", path, {"Content-Length": "10", "Expect": "100-continue"})

        answer = sender.answer()

        assert (answer.status, answer.headers.get("connection")) == (code, "close")
        assert sender.is_closed_by_peer()


def test_a_sender_who_waits_to_be_told_is_told_to_go_on(product: Product, key: str) -> None:
    body = json.dumps({"channels": ["form:response:2"]}).encode()
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Expect": "100-continue",
    }
    with RawConnection(product.port) as client:
        client.ask("POST", "/api/channels/tickets/", headers)
        assert client.socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(body)

        assert client.answer().status == 201
