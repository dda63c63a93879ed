"""One id in every log line that follows from one request, from its POST to the call of a provider.

A request has the id that its sender gives in ``X-Request-ID``, or one of ours, and the answer repeats it. The events
that it stores have its correlation id in their rows, from where routing and deliveries read it; no message to a worker
has to carry it. docs/adr/0080.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any
from uuid import UUID

from structlog.contextvars import bound_contextvars

from wedsync import logs
from wedsync.ids import new_id, new_id_and_text

HEADER = b"x-request-id"
_USABLE = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_UNANSWERED = 0
MOST_NAMED = 20
"""How many ids a line about many requests names."""
_current = logs.correlation_id


def current() -> UUID | None:
    """The id of the current request or work; ``None`` where there is none."""
    return _current.get()


def current_or_new() -> UUID:
    """The id of the current request or work; a new one where there is none."""
    return _current.get() or new_id()


@contextmanager
def of(correlation_id: UUID, **facts: str) -> Iterator[None]:
    """Give this id and these facts to each log line in the block, and the id to each event stored in it."""
    before = _current.set(correlation_id)
    try:
        with bound_contextvars(**facts):
            yield
    finally:
        _current.reset(before)


@contextmanager
def of_stored(correlation_id: UUID | None, **facts: str) -> Iterator[None]:
    """Like :func:`of`, with the id of a stored row; a new one where the row is older than these ids."""
    with of(correlation_id or new_id(), **facts):
        yield


@contextmanager
def of_many(correlation_ids: Sequence[UUID]) -> Iterator[None]:
    """Name a batch's first requests in each log line of the block; a single one as :func:`of` does."""
    if len(correlation_ids) == 1:
        with of(correlation_ids[0]):
            yield
        return
    named = [str(each) for each in correlation_ids[:MOST_NAMED]]
    with bound_contextvars(**({"correlation_ids": named} if named else {})):
        yield


def kept(call: Callable[[], object]) -> Callable[[], None]:
    """A call that runs later, such as after the commit, with the current ids in its log lines."""
    context = copy_context()

    def later() -> None:
        context.copy().run(call)

    return later


class Correlated:
    """An ASGI application that gives each request an id, and logs a line when it has been answered."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, or serve one socket."""
        if scope["type"] not in {"http", "websocket"}:
            await self._application(scope, receive, send)
            return
        correlation_id, named = new_id_and_text()
        request_id = _given(scope["headers"]) or named
        began, status = time.monotonic(), _UNANSWERED

        async def send_with_id(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [pair for pair in message.get("headers", ()) if pair[0].lower() != HEADER]
                message = {**message, "headers": [*headers, (HEADER, request_id.encode())]}
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        before, of_request = _current.set(correlation_id), logs.request_id.set(request_id)
        try:
            await self._application(scope, receive, send_with_id)
        finally:
            _current.reset(before)
            logs.request_id.reset(of_request)
            logs.access(
                method=scope.get("method", "WEBSOCKET"),
                path=scope["path"],
                status=status,
                milliseconds=round((time.monotonic() - began) * 1000, 1),
                address=(scope.get("client") or ("",))[0],
                request_id=request_id,
                correlation_id=named,
            )


def _given(headers: Any) -> str | None:
    """The sender's id of the request, if it is safe to repeat in a log and a header."""
    found = [value for name, value in headers if name == HEADER]
    if len(found) == 1 and _USABLE.fullmatch(found[0]):
        return str(found[0].decode())
    return None
