"""A call from its URL to its answer."""

import re
import time
from urllib.parse import quote, urlsplit

from django.conf import settings

from integrations.addresses import Origin, read_origin
from integrations.errors import OurFault
from integrations.outbound.connections import IdleConnections, connect
from integrations.outbound.exchange import exchange
from integrations.outbound.messages import Call, Response

USER_AGENT = "WedSync/1"
_PATH = "%/:=&?~+!$,;'@()*[]"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_VALUES = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OURS = frozenset({"connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade"})
_UNFIT = "the system's URL or one of its credentials holds a character that HTTP can not carry"
_idle = IdleConnections()


def send(call: Call, *, deadline: float) -> Response:
    """Make the call, once. ``deadline``: seconds for all of it: names, connecting, sending, reading.

    Redirects are not followed. Whatever came of the body is taken after 64 KiB, and the connection dropped.

    Raises:
        NetworkError: no connection, or it broke.
        TimedOut: the deadline passed after the request had begun to leave.
        OurFault: an address that may not be called, or a URL or header that HTTP can not carry.
    """
    ends = time.monotonic() + deadline
    allowed = tuple(settings.OUTBOUND_ALLOW)
    try:
        origin = read_origin(call.url)
    except ValueError as error:
        raise OurFault(f"the system's URL can not be called: {error}") from error
    message = _message(call, origin)
    connection = _idle.take(origin, allowed) or connect(origin, allowed, ends)
    keep = 0.0
    try:
        response, keep = exchange(connection.sock, call.method, message, ends)
        return response
    finally:
        if keep > 0:
            _idle.keep(connection, keep)
        else:
            connection.close()


def close_idle() -> None:
    """Close the connections kept for later calls."""
    _idle.close()


def _message(call: Call, origin: Origin) -> bytes:
    """The request's bytes. What frames it is ours alone, and bodies are asked for as they are, not compressed."""
    headers = {"user-agent": ("User-Agent", USER_AGENT), "accept": ("Accept", "*/*")}
    headers |= {name.lower(): (name, value) for name, value in call.headers.items()}
    headers["accept-encoding"] = ("Accept-Encoding", "identity")
    if call.body or call.method not in {"GET", "HEAD", "DELETE"}:
        headers["content-length"] = ("Content-Length", str(len(call.body)))
    if any(name.lower() in _OURS for name in call.headers) or not _TOKEN.fullmatch(call.method):
        raise OurFault("the request has a method or a header that only the transport may set")
    lines = [f"{call.method} {_path(call.url)} HTTP/1.1", f"Host: {origin.header}"]
    for name, value in headers.values():
        if not _TOKEN.fullmatch(name) or _NOT_IN_VALUES.search(value):
            raise OurFault(_UNFIT)
        lines.append(f"{name}: {value}")
    try:
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + call.body
    except UnicodeEncodeError as error:
        raise OurFault(_UNFIT) from error


def _path(url: str) -> str:
    parts = urlsplit(url)
    path = quote(parts.path, safe=_PATH) or "/"
    return f"{path}?{quote(parts.query, safe=_PATH)}" if parts.query else path
