"""A transport adapter for ``requests`` that keeps a deadline and calls only checked addresses.

https://requests.readthedocs.io/en/latest/user/advanced/#transport-adapters. The built-in one, over urllib3, restarts
its time-out with each read, resolves names without a limit, and connects to any address (docs/adr/0026).
"""

import re
import time
from typing import Any

import requests
from django.conf import settings
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from integrations.errors import OurFault
from integrations.outbound.connections import IdleConnections, connect
from integrations.outbound.exchange import exchange
from integrations.outbound.guard import Origin, read_origin
from integrations.outbound.messages import Response

UNFIT = "the system's URL or one of its credentials contains a character that HTTP cannot carry"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_VALUES = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class DeadlineAdapter(BaseAdapter):
    """Sends a prepared request once, over this process's connections. No proxies, client certificates or streams."""

    def __init__(self) -> None:
        super().__init__()
        self._idle = IdleConnections()

    def send(  # type: ignore[override]  # the deadline is a number of seconds, and is always given
        self, request: requests.PreparedRequest, *, timeout: float, **options: Any
    ) -> requests.Response:
        """Send it and read the answer, at most 64 KiB of its body. ``timeout``: seconds for the whole exchange.

        Raises:
            NetworkError: no connection, or it broke.
            TimedOut: the deadline passed after sending had begun.
            OurFault: the address must not be called, or a header contains what HTTP cannot carry.
        """
        ends = time.monotonic() + timeout
        allowed = tuple(settings.OUTBOUND_ALLOW)
        method, origin = request.method or "", read_origin(request.url or "")
        message = _message(request, origin)
        connection = self._idle.take(origin, allowed) or connect(origin, allowed, ends)
        keep = 0.0
        try:
            answer, keep = exchange(connection.sock, method, message, ends)
            return _as_requests(answer, request)
        finally:
            if keep > 0:
                self._idle.keep(connection, keep)
            else:
                connection.close()

    def close(self) -> None:
        """Close the connections kept for later calls."""
        self._idle.close()


def _message(request: requests.PreparedRequest, origin: Origin) -> bytes:
    """The request's bytes."""
    if not _TOKEN.fullmatch(request.method or ""):
        raise OurFault("the request's method is not valid in HTTP")
    lines = [f"{request.method} {request.path_url} HTTP/1.1", f"Host: {origin.header}"]
    for name, value in request.headers.items():
        if not _TOKEN.fullmatch(name) or _NOT_IN_VALUES.search(value):
            raise OurFault(UNFIT)
        lines.append(f"{name}: {value}")
    body = request.body or b""
    try:
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    except UnicodeEncodeError as error:
        raise OurFault(UNFIT) from error
    return head + (body if isinstance(body, bytes) else str(body).encode())


def _as_requests(answer: Response, request: requests.PreparedRequest) -> requests.Response:
    made = requests.Response()
    made.status_code = answer.status
    made.headers = CaseInsensitiveDict(answer.headers)
    made.url, made.request = request.url or "", request
    made._content = answer.body  # noqa: SLF001  (the body has already been read)
    return made
