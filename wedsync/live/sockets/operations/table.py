"""All operations, by the ``op`` of a request."""

from collections.abc import Mapping
from typing import Any

from wedsync.live.error_codes import ErrorCode
from wedsync.live.sockets.operations import ping, presence, publishing, seen, subscriptions
from wedsync.live.sockets.operations.requests import Operation, RequestRefused, refuse_unknown

OPERATIONS: Mapping[str, Operation] = {
    "subscribe": subscriptions.SUBSCRIBE,
    "unsubscribe": subscriptions.UNSUBSCRIBE,
    "publish": publishing.PUBLISH,
    "presence": presence.PRESENCE,
    "seen": seen.SEEN,
    "ping": ping.PING,
}
_OF_ALL = frozenset({"id", "op"})


def operation_of(content: Any) -> Operation:
    """The operation that a message asks for.

    Raises:
        RequestRefused: it is not a request, or has fields that its operation does not know.
    """
    if not isinstance(content, dict):
        raise RequestRefused(ErrorCode.BAD_REQUEST, "send one JSON object per message")
    name = content.get("op")
    operation = OPERATIONS.get(name) if isinstance(name, str) else None
    if operation is None:
        raise RequestRefused(ErrorCode.UNKNOWN_OP, f"op must be one of {', '.join(OPERATIONS)}")
    refuse_unknown(content, operation.fields | _OF_ALL, str(name))
    return operation
