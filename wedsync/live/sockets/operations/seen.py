"""Reporting that an event was shown to a person."""

from typing import Any

from wedsync.ids import as_id
from wedsync.live import seen, threads
from wedsync.live.error_codes import ErrorCode
from wedsync.live.seen import SeenForbidden, SeenRefused
from wedsync.live.sockets.operations.requests import Operation, Request, RequestRefused, channel_of


async def _seen(request: Request) -> dict[str, Any]:
    name, sequence, contact = (
        channel_of(request.content),
        request.content.get("sequence"),
        request.content.get("contact"),
    )
    if isinstance(sequence, bool) or not isinstance(sequence, int) or not 1 <= sequence < 2**63:
        raise RequestRefused(ErrorCode.BAD_REQUEST, "sequence must be a whole number from 1")
    contact_id = as_id(contact)
    if contact is not None and contact_id is None:
        raise RequestRefused(ErrorCode.BAD_REQUEST, "contact must be an id")
    try:
        await threads.requests.run(seen.report, request.pass_, name, sequence, contact_id)
    except SeenForbidden as error:
        raise RequestRefused(ErrorCode.FORBIDDEN, str(error)) from error
    except SeenRefused as error:
        raise RequestRefused(ErrorCode.BAD_REQUEST, str(error)) from error
    return {}


SEEN = Operation(frozenset({"channel", "sequence", "contact"}), _seen)
