"""Tickets: each opens one connection."""

import asyncio
import json
import urllib.request
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit, urlunsplit

from .messages import Ended

Ticket = Mapping[str, Any]
Tickets = Callable[[], "Ticket | Awaitable[Ticket]"]
"""Returns ``{"ws_url": ..., "ticket": ...}`` for one connection."""
SECONDS = 10.0
REFUSED = {400, 401, 403, 404}


def tickets_by_key(base_url: str, api_key: str, channels: Sequence[str] | None = None) -> Tickets:
    """Get tickets from the API, for all channels that the key may follow or for these only."""
    body = json.dumps({} if channels is None else {"channels": list(channels)}).encode()
    parts = urlsplit(base_url)
    ws_url = urlunsplit((parts.scheme.replace("http", "ws"), parts.netloc, "/ws/channels/", "", ""))

    def ticket() -> Ticket:
        request = urllib.request.Request(  # noqa: S310  (the caller's own URL)
            base_url.rstrip("/") + "/api/channels/tickets/",
            body,
            {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                return {"ws_url": ws_url, **json.load(answer)}
        except HTTPError as error:
            if error.code in REFUSED:
                raise Ended(error.code, "the API key was refused") from error
            raise

    return ticket


async def called(function: Callable[[], Any]) -> Any:
    """The result of a function or of a coroutine function; the former runs in a thread."""
    if asyncio.iscoroutinefunction(function):
        return await function()
    found = await asyncio.to_thread(function)
    return await found if isinstance(found, Awaitable) else found
