"""Answers in plain ASGI, for everything that is not served by Django."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from wedsync.wire import problems
from wedsync.wire.problems import Problem

Pairs = Sequence[tuple[bytes, bytes]]  # names in lower case
_PROBLEM = problems.MEDIA_TYPE.encode()
LINGER_SECONDS = 2.0
LINGER_BYTES = 4 * 1024 * 1024
_CONNECTION = b"connection"


async def send_json(send: Any, status: int, body: Mapping[str, Any], headers: Pairs = ()) -> None:
    """Answer with JSON."""
    await send_bytes(send, status, b"application/json", orjson.dumps(body), headers)


async def send_problem(send: Any, problem: Problem, headers: Pairs = (), receive: Any = None) -> None:
    """Answer with RFC 9457 problem details.

    Arguments:
        receive: if given and the problem closes the connection, what the sender still sends is read and dropped for a
            moment. Closing a connection with unread bytes resets it, and the answer would be lost.
    """
    own = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    content, pairs = orjson.dumps(problem.body), [*headers, *own]
    if receive is None or (_CONNECTION, b"close") not in own:
        await send_bytes(send, problem.status, _PROBLEM, content, pairs)
        return
    await _start(send, problem.status, _PROBLEM, len(content), pairs)
    await send({"type": "http.response.body", "body": content, "more_body": True})
    await _linger(receive)
    await send({"type": "http.response.body", "body": b""})


async def send_text(send: Any, status: int, text: str, media_type: str = "text/plain; charset=utf-8") -> None:
    """Answer with a text that no browser takes for anything but what its media type says."""
    await send_bytes(send, status, media_type.encode(), text.encode(), [(b"x-content-type-options", b"nosniff")])


async def send_bytes(send: Any, status: int, media_type: bytes, content: bytes, headers: Pairs = ()) -> None:
    """Answer with bytes."""
    await _start(send, status, media_type, len(content), headers)
    await send({"type": "http.response.body", "body": content})


async def _start(send: Any, status: int, media_type: bytes, length: int, headers: Pairs) -> None:
    pairs = [(b"content-type", media_type), (b"content-length", b"%d" % length), *headers]
    await send({"type": "http.response.start", "status": status, "headers": pairs})


async def _linger(receive: Any) -> None:
    dropped = 0
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while dropped < LINGER_BYTES:
                message = await receive()
                dropped += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return
    except TimeoutError:
        return


def closing_early_answers(application: Any) -> Any:
    """The ASGI application, whose answers close the connection if the sender still waits for permission to send.

    ``Expect: 100-continue``: after an early answer it is unknown whether the body follows, so it could be mistaken for
    the next request (RFC 9110, 10.1.1).
    """

    async def closing(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not any(name == b"expect" for name, _ in scope["headers"]):
            await application(scope, receive, send)
            return
        asked = False

        async def receiving() -> Any:
            nonlocal asked
            asked = True
            return await receive()

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start" and not asked:
                headers = [pair for pair in message.get("headers", ()) if pair[0].lower() != _CONNECTION]
                message = {**message, "headers": [*headers, (_CONNECTION, b"close")]}
            await send(message)

        await application(scope, receiving, sending)

    return closing
