"""The subprotocol that sockets speak."""

from collections.abc import Mapping
from typing import Any

SUBPROTOCOL = "wedsync.v1"


def is_spoken(scope: Mapping[str, Any]) -> bool:
    """Whether the client offered our subprotocol, or none at all."""
    offered = scope.get("subprotocols") or [SUBPROTOCOL]
    return SUBPROTOCOL in offered


def to_accept(scope: Mapping[str, Any]) -> str | None:
    """The subprotocol to name when accepting a socket.

    A browser drops a socket that names none of those it offered, and never learns the code with which it is closed. So
    a socket that is about to be refused for its subprotocol still names one of the client's.
    """
    offered = scope.get("subprotocols") or [None]
    return SUBPROTOCOL if SUBPROTOCOL in offered else offered[0]
