"""Reading requests and writing answers on bare ASGI, for the doors beside Django."""

import asyncio
import ipaddress
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson

from webhooks.inspection import Refused
from wedsync import problems
from wedsync.problems import Problem

Headers = dict[str, list[str]]
Pairs = Sequence[tuple[bytes, bytes]]  # names in lower case
_PROBLEM = problems.MEDIA_TYPE.encode()
AWAY = Problem(
    503,
    "storage-away",
    "It is not certain that this was stored. Send the same request again.",
    headers={"Retry-After": "5"},
)
OUR_FAULT = Problem(500, "our-fault", "Nothing was stored. Our log has the reason.")
SLOWEST_BODY = 10.0  # seconds


class Disconnected(Exception):
    """The sender went away before its body had arrived."""


def headers_of(scope: dict[str, Any]) -> Headers:
    """The request's headers: names, which ASGI gives in lower case, to all their values."""
    found: Headers = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return found


def remote_address(scope: dict[str, Any]) -> str | None:
    """The sender's address, without its zone."""
    client = scope.get("client")
    return _parsed(client[0]) if client else None


@lru_cache(maxsize=4096)
def _parsed(address: str) -> str | None:
    """A proxy may have put in something else, which PostgreSQL would refuse."""
    try:
        return str(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return None


async def read_body(receive: Any, largest: int) -> bytes:
    """The whole body.

    Arguments:
        largest: bytes; more is refused as soon as it is seen.

    Raises:
        Refused: too large, or slower than ten seconds.
        Disconnected: the sender went away.
    """
    reading = _Reading()
    timer = asyncio.get_running_loop().call_later(SLOWEST_BODY, reading.end)  # asyncio.timeout costs twice as much
    try:
        return await _read(receive, largest)
    except asyncio.CancelledError as error:
        if not reading.ended or reading.task.uncancel() > 0:
            raise
        detail = f"The body took longer than {SLOWEST_BODY:.0f} s. Send it at once."
        raise Refused(Problem(408, "body-too-slow", detail, headers={"Connection": "close"})) from error
    finally:
        timer.cancel()


class _Reading:
    """The present task, which reads a body and may be told to end."""

    __slots__ = ("ended", "task")

    def __init__(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (a coroutine that runs has one)
        self.task = task
        self.ended = False

    def end(self) -> None:
        self.ended = True
        self.task.cancel()


async def _read(receive: Any, largest: int) -> bytes:
    pieces, length = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        piece = message.get("body", b"")
        length += len(piece)
        check_size(length, largest)
        pieces.append(piece)
        if not message.get("more_body"):
            return b"".join(pieces)


def check_size(length: int, largest: int) -> None:
    """Refuse bodies over ``largest`` bytes."""
    if length > largest:
        raise Refused(Problem(413, "body-too-large", f"The body may have at most {largest} bytes."))


def announced_length(headers: Headers) -> int:
    """What ``Content-Length`` says; 0 without it."""
    text = (headers.get("content-length") or ["0"])[0]
    return int(text) if len(text) < 20 and text.isascii() and text.isdigit() else 0


async def send_json(send: Any, status: int, body: Mapping[str, Any], headers: Pairs = ()) -> None:
    """Answer with JSON."""
    await _send(send, status, b"application/json", orjson.dumps(body), headers)


async def send_problem(send: Any, problem: Problem, headers: Pairs = ()) -> None:
    """Answer with RFC 9457 problem details."""
    own = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    await _send(send, problem.status, _PROBLEM, orjson.dumps(problem.body), [*headers, *own])


async def send_text(send: Any, status: int, text: str) -> None:
    """Answer with plain text, which no browser takes for anything else."""
    await _send(send, status, b"text/plain; charset=utf-8", text.encode(), [(b"x-content-type-options", b"nosniff")])


async def _send(send: Any, status: int, media_type: bytes, content: bytes, headers: Pairs) -> None:
    pairs = [(b"content-type", media_type), (b"content-length", b"%d" % len(content)), *headers]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": content})
