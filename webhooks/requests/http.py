"""Reading requests on plain ASGI, for the receivers outside Django."""

import ipaddress
from functools import lru_cache
from typing import Any

from webhooks.requests.refusals import Refused
from wedsync.web.request_bodies import Beyond, BodyReader, announced_length, check_size
from wedsync.web.transfers import BodyRefused
from wedsync.wire.problems import Problem

Headers = dict[str, list[str]]
AWAY = Problem(
    503,
    "storage-away",
    "It is uncertain whether this was stored. Send the same request again.",
    headers={"Retry-After": "5"},
)
OUR_FAULT = Problem(500, "our-fault", "Nothing was stored, because of an error on our side. Our log has the reason.")


def headers_of(scope: dict[str, Any]) -> Headers:
    """The request's headers: lower-case names, as ASGI gives them, with all their values."""
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
    """The address, or ``None`` if a proxy put in something else, which PostgreSQL would refuse."""
    try:
        return str(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return None


async def read_body(
    bodies: BodyReader, receive: Any, headers: Headers, largest: int, beyond: Beyond | None = None
) -> bytes:
    """The whole body.

    Arguments:
        largest: bytes; a larger body is refused as soon as its size is announced or seen.
        beyond: how a larger body is still read and returned.

    Raises:
        Refused: too large, too slow, or too many bytes in memory.
        Disconnected: the sender closed the connection.
    """
    announced = announced_length((headers.get("content-length") or [""])[0])
    try:
        if beyond is not None:
            return await bodies.read_beyond(receive, largest, announced, beyond)
        check_size(announced, largest)
        return await bodies.read(receive, largest)
    except BodyRefused as error:
        raise Refused(error.problem) from error
