"""What is served on the event loop below ``/api/channels/``, by path and method."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from django.conf import settings

from wedsync.database.errors import POSTGRES_AWAY
from wedsync.live.access.origins import scheme_of
from wedsync.live.streams import history, problems, streaming
from wedsync.live.streams.admission import Count
from wedsync.live.streams.problems import Problematic
from wedsync.web.answers import send_bytes, send_problem

log = structlog.get_logger(__name__)
STREAM = re.compile(r"/api/channels/events/?")
HISTORY = re.compile(r"/api/channels/([^/]+)/events/?")
METHODS = "GET, HEAD, OPTIONS"
_READ = {"GET", "HEAD"}
Application = Callable[[Any, Any, Any], Awaitable[None]]


class Streams:
    """ASGI applications by path.

    Arguments:
        count: counts a request of an API key; may wait for Redis.
    """

    def __init__(self, count: Count) -> None:
        self._count = count

    def at(self, path: str, method: str) -> Application | None:
        """The application for a request; ``None``: it is not served here."""
        if STREAM.fullmatch(path):
            return self._stream
        found = HISTORY.fullmatch(path)
        return self._history if found and method in _READ else None

    async def _stream(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "OPTIONS":
            await send_bytes(send, 200, b"text/plain", b"", [(b"allow", METHODS.encode())])
            return
        if scope["method"] not in _READ:
            await send_problem(send, problems.not_allowed(METHODS).problem)
            return
        await _answered(streaming.serve(scope, send, self._count), scope, send)

    async def _history(self, scope: Any, receive: Any, send: Any) -> None:
        found = HISTORY.fullmatch(scope["path"])
        name = found[1] if found else ""
        await _answered(history.serve(scope, receive, send, name, self._count), scope, send)


async def _answered(work: Any, scope: Any, send: Any) -> None:
    try:
        if settings.SECURE_SSL_REDIRECT and scheme_of(scope) != "https":
            work.close()
            raise Problematic(problems.HTTPS)
        await work
    except Problematic as refused:
        await send_problem(send, refused.problem)
    except POSTGRES_AWAY as error:
        log.warning("stream_not_admitted", error=type(error).__name__)
        await send_problem(send, problems.AWAY)
