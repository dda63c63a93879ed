"""Pages of other origins that may ask for tickets, streams and histories: exactly those that the operator lists.

Without cookies, so a page brings a key, a ticket or a token of its own. https://fetch.spec.whatwg.org/#http-cors-protocol
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

_PATHS = re.compile(r"/api/channels/(tickets|events|[^/]+/events)/?")
_METHODS = b"GET, HEAD, POST"
_MAY_SEND = b"Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-ID"
_MAY_READ = b"RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, X-Request-ID"
_KEPT_FOR = b"600"  # seconds


class CrossOrigin:
    """An ASGI application in front of another one, which answers the preflights of listed origins itself.

    Arguments:
        origins: as browsers write them: ``https://app.example``.
    """

    def __init__(self, application: Callable[..., Any], origins: Sequence[str]) -> None:
        self._application = application
        self._origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not self._origins or not _PATHS.fullmatch(scope["path"]):
            await self._application(scope, receive, send)
            return
        names = [name for name, _ in scope["headers"]]
        given = [value for name, value in scope["headers"] if name == b"origin"]
        origin = given[0] if len(given) == 1 and given[0] in self._origins else None
        if origin and scope["method"] == "OPTIONS" and b"access-control-request-method" in names:
            await _allow(origin, send)
            return

        async def told(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _with_origin(message.get("headers", ()), origin)}
            await send(message)

        await self._application(scope, receive, told)


async def _allow(origin: bytes, send: Any) -> None:
    headers = [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-allow-headers", _MAY_SEND),
        (b"access-control-max-age", _KEPT_FOR),
        (b"vary", b"Origin"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _with_origin(headers: Any, origin: bytes | None) -> list[tuple[bytes, bytes]]:
    varies = [value for name, value in headers if name.lower() == b"vary"]
    others = [pair for pair in headers if pair[0].lower() != b"vary"]
    allowed = [(b"access-control-allow-origin", origin), (b"access-control-expose-headers", _MAY_READ)]
    return [*others, (b"vary", b", ".join([*varies, b"Origin"])), *(allowed if origin else [])]
