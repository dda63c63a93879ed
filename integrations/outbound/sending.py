"""Makes calls through ``requests``, over our own transport."""

import requests

from integrations.errors import OurFault
from integrations.outbound.adapter import UNFIT, DeadlineAdapter
from integrations.outbound.guard import read_origin
from integrations.outbound.messages import Call, Response

USER_AGENT = "WedSync/1"
# They frame the request, which only the transport may do; bodies are requested uncompressed.
_OURS = frozenset({"connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade"})
_adapter = DeadlineAdapter()


def _make_session() -> requests.Session:
    """A session that keeps no connection, cookie or proxy of its own, so that all threads may use it."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", _adapter)
    session.mount("http://", _adapter)
    return session


_session = _make_session()


def send(call: Call, *, deadline: float) -> Response:
    """Make the call once. ``deadline``: seconds for all of it: resolving, connecting, sending, reading.

    Redirects are not followed. The body is cut at 64 KiB, and the connection then closed.

    Raises:
        NetworkError: no connection, or it broke.
        TimedOut: the deadline passed after sending had begun.
        OurFault: the address must not be called, or the URL or a header contains what HTTP cannot carry.
    """
    try:
        read_origin(call.url)
    except ValueError as error:
        raise OurFault(f"the system's URL cannot be called: {error}") from error
    if any(name.lower() in _OURS for name in call.headers):
        raise OurFault("the request has a header that only the transport may set")
    headers = {"User-Agent": USER_AGENT, "Accept": "*/*", **call.headers, "Accept-Encoding": "identity"}
    try:
        prepared = requests.Request(call.method, call.url, data=call.body, headers=headers).prepare()
    except (requests.RequestException, UnicodeError) as error:
        raise OurFault(UNFIT) from error
    answer = _session.send(prepared, timeout=deadline, allow_redirects=False)
    return Response(answer.status_code, dict(answer.headers), answer.content)


def close_idle() -> None:
    """Close the connections kept for later calls."""
    _adapter.close()
