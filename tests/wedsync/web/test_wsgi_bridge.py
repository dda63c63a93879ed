"""Django behind ASGI: what it is told of a request, and what its answer costs."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from wedsync.web.transfers import Pace
from wedsync.web.wsgi_bridge import Bridge, Limits, environ_of

LIMITS = Limits(largest=1000, largest_import=5000, together=100_000, pace=Pace(idle=5, slowest=1))
Sent = list[dict[str, Any]]


def scope(method: str = "POST", path: str = "/", headers: Iterable[tuple[bytes, bytes]] = (), **rest: Any) -> Any:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": list(headers),
        "client": ("203.0.113.7", 1234),
        "server": ("127.0.0.1", 8000),
        **rest,
    }


class Peer:
    """Who sends these pieces, and reads the answer; ``stalls``: takes nothing of its body."""

    def __init__(self, *pieces: bytes, stalls: bool = False, leaves: bool = False) -> None:
        self._coming = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
        self._coming.append({"type": "http.request", "body": b"", "more_body": False})
        self._stalls, self._leaves = stalls, leaves
        self.sent: Sent = []
        self.began = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if self._coming:
            return self._coming.pop(0)
        return {"type": "http.disconnect"} if self._leaves else await asyncio.get_running_loop().create_future()

    async def send(self, message: dict[str, Any]) -> None:
        if self._stalls and message["type"] == "http.response.body":
            await asyncio.get_running_loop().create_future()
        self.sent.append(message)
        self.began.set()

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def content(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])


def echo(environ: dict[str, Any], start: Callable[..., Any]) -> Iterator[bytes]:
    """Answers with the body as Django would read it, by its length."""
    start("200 OK", [("Content-Type", "text/plain")])
    yield environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))


def play(bridge: Bridge, peer: Peer, **asked: Any) -> Peer:
    asyncio.run(bridge(scope(**asked), peer.receive, peer.send))
    return peer


def test_a_body_in_chunks_has_a_length_for_django() -> None:
    peer = Peer(b"over", b"lap=", b"0")
    play(Bridge(echo, LIMITS, threads=1), peer, headers=[(b"transfer-encoding", b"chunked")])

    assert (peer.status, peer.content) == (200, b"overlap=0")
    assert peer.headers[b"content-length"] == b"9"


def test_django_hears_nothing_of_how_a_body_travelled() -> None:
    headers = [(b"content-length", b"99"), (b"transfer-encoding", b"chunked"), (b"expect", b"100-continue")]
    environ = environ_of(scope(headers=headers), b"abc")

    assert environ["CONTENT_LENGTH"] == "3"
    assert not {"HTTP_TRANSFER_ENCODING", "HTTP_EXPECT", "HTTP_CONTENT_LENGTH"} & set(environ)


@pytest.mark.parametrize("name", [b"x_forwarded_proto", b"x-forwarded_for", b"content_type", b"content_length"])
def test_a_header_with_an_underscore_cannot_be_taken_for_one_that_a_proxy_sets(name: bytes) -> None:
    environ = environ_of(scope(headers=[(name, b"forged"), (b"content-type", b"text/plain")]), b"")

    assert "forged" not in environ.values()
    assert environ["CONTENT_TYPE"] == "text/plain"


def test_a_header_given_twice_is_joined_and_cookies_in_their_own_way() -> None:
    headers = [(b"accept", b"a"), (b"accept", b"b"), (b"cookie", b"a=1"), (b"cookie", b"b=2")]
    environ = environ_of(scope(headers=headers), b"")

    assert (environ["HTTP_ACCEPT"], environ["HTTP_COOKIE"]) == ("a,b", "a=1; b=2")


def test_paths_and_queries_of_any_script_reach_django() -> None:
    environ = environ_of(scope(path="/größe/", query_string=b"q=\xc3\xbc&r=%C3%BC"), b"")

    assert environ["PATH_INFO"].encode("latin-1").decode() == "/größe/"
    assert environ["QUERY_STRING"].encode("latin-1") == b"q=\xc3\xbc&r=%C3%BC"


@pytest.mark.parametrize(
    ("path", "size", "code"),
    [
        ("/", 1000, 200),
        ("/", 1001, 413),
        ("/import/", 5000, 200),
        ("/admin/weddings/wedding/import", 5000, 200),
        ("/admin/weddings/wedding/import/", 5001, 413),
        ("/import/x/", 1001, 413),
        ("/reimport/", 1001, 413),
    ],
)
def test_pages_that_import_files_take_larger_bodies(path: str, size: int, code: int) -> None:
    assert play(Bridge(echo, LIMITS, threads=1), Peer(b"x" * size), path=path).status == code


def test_who_reads_slowly_holds_no_thread_and_is_cut_off_in_the_end() -> None:
    bridge = Bridge(echo, Limits(1000, 1000, 10_000, Pace(idle=0.2, slowest=1)), threads=1)
    slow, quick = Peer(b"x" * 900, stalls=True), Peer(b"y")

    async def both() -> None:
        stalled = asyncio.create_task(bridge(scope(), slow.receive, slow.send))
        await bridge(scope(), quick.receive, quick.send)
        assert not stalled.done()
        await stalled

    asyncio.run(both())

    assert quick.content == b"y"
    assert slow.content == b""


def test_answers_that_nobody_takes_give_way_to_newer_ones() -> None:
    bridge = Bridge(echo, Limits(1000, 1000, 1000, Pace(idle=30, slowest=1)), threads=1)
    slow, quick = Peer(b"x" * 900, stalls=True), Peer(b"y" * 900)

    async def both() -> None:
        stalled = asyncio.create_task(bridge(scope(), slow.receive, slow.send))
        await slow.began.wait()
        await bridge(scope(), quick.receive, quick.send)
        await stalled

    asyncio.run(both())

    assert quick.content == b"y" * 900
    assert slow.content == b""


def test_who_left_before_a_thread_was_free_is_not_worked_for() -> None:
    begun, free = threading.Event(), threading.Event()
    worked: list[str] = []

    def page(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        worked.append(environ["PATH_INFO"])
        begun.set()
        free.wait(10)
        start("200 OK", [])
        return [b""]

    bridge = Bridge(page, LIMITS, threads=1)
    first, gone = Peer(b"a"), Peer(b"b", leaves=True)

    async def both() -> None:
        busy = asyncio.create_task(bridge(scope(path="/busy"), first.receive, first.send))
        await asyncio.to_thread(begun.wait, 10)
        await bridge(scope(path="/gone"), gone.receive, gone.send)
        free.set()
        await busy

    asyncio.run(both())

    assert worked == ["/busy"]
    assert (first.status, gone.sent) == (200, [])


def test_an_application_that_breaks_is_answered_as_our_fault() -> None:
    def broken(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        start("200 OK", [])
        raise ValueError("broken")

    peer = play(Bridge(broken, LIMITS, threads=1), Peer(b""))

    assert (peer.status, peer.headers[b"content-type"]) == (500, b"application/problem+json")
    assert b"broken" not in peer.content


def test_each_thread_is_prepared_once() -> None:
    prepared: list[str] = []
    bridge = Bridge(echo, LIMITS, threads=1, initializer=lambda: prepared.append(threading.current_thread().name))

    for _ in range(3):
        assert play(bridge, Peer(b"")).status == 200

    assert len(prepared) == 1
