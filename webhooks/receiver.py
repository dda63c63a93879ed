"""The door: an ASGI callable beside Django's, for ``POST /api/webhooks/channel-events`` (docs/adr/0007).

A request is answered 202 only after its own row is committed.
"""

import asyncio
import json
import time
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError

from webhooks import inspection
from webhooks.committer import Committer, StorageAway
from webhooks.doors import Door, Doors
from webhooks.inspection import Refused
from webhooks.storing import Status, Stored
from wedsync import problems
from wedsync.problems import Problem
from wedsync.threads import in_thread

log = structlog.get_logger(__name__)
PREFIX = "/api/webhooks/channel-events"
CONNECTION_HEADER = "x-wedsync-connection"
RETRY_AFTER = "5"
LOOK_UP_WITHIN = 0.6  # seconds; with the committer's wait it stays under the promised 2
_CODES = {Status.ACCEPTED: 202, Status.UNRECOGNISED: 202, Status.DUPLICATE: 200}
_NO_DOOR = Problem(
    404, "connection-unknown", "There is no such connection. Check the id in the path or in X-WedSync-Connection."
)
_AWAY = Problem(
    503,
    "storage-away",
    "It is not certain that this was stored. Send the same request again.",
    headers={"Retry-After": RETRY_AFTER},
)

Headers = dict[str, list[str]]


class Disconnected(Exception):
    """The sender went away before its body had arrived."""


class Receiver:
    """Checks a request, has it stored, answers."""

    def __init__(self) -> None:
        self._doors = Doors()
        self._committer = Committer()

    def start(self) -> None:
        """Start to store."""
        self._committer.start()

    async def stop(self) -> None:
        """Store what was accepted, then end."""
        await asyncio.to_thread(self._committer.stop)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        headers = _headers(scope)
        try:
            door = await self._door(scope["path"], headers)
            _check_method(scope["method"])
            inspection.check_size(_announced_length(headers))
            body = await _read(receive)
            inspection.check_type(headers)
            remote = scope["client"][0] if scope.get("client") else None
            accepted = inspection.inspect(door, headers, body, now=time.time(), remote_address=remote)
            stored = await self._committer.submit(accepted)
        except Refused as refused:
            await _send_problem(send, refused.problem)
        except (StorageAway, OperationalError, InterfaceError) as error:
            log.warning("webhook_not_stored", error=type(error).__name__)
            await _send_problem(send, _AWAY)
        except Disconnected:
            return
        except Exception:
            log.exception("webhook_failed")
            await _send_problem(send, Problem(500, "our-fault", "Nothing was stored. Our log has the reason."))
        else:
            await _send_stored(send, stored)

    async def _door(self, path: str, headers: Headers) -> Door:
        named = path.removeprefix(PREFIX).strip("/") or (headers.get(CONNECTION_HEADER) or [""])[0]
        if not named or len(named) > 40 or not named.isascii() or "\x00" in named:
            raise Refused(_NO_DOOR)
        known, door = self._doors.remembered(named)
        if not known:
            door = await self._look_up(named)
        if door is None:
            raise Refused(_NO_DOOR)
        return door

    async def _look_up(self, named: str) -> Door | None:
        """Ask PostgreSQL; while it does not answer, a door that was open shortly before still is."""
        try:
            return await asyncio.wait_for(in_thread(self._doors.look_up, named), LOOK_UP_WITHIN)
        except (TimeoutError, OperationalError, InterfaceError) as error:
            door = self._doors.last_known(named)
            if door is None:
                raise StorageAway("the connection could not be looked up") from error
            return door


def _headers(scope: dict[str, Any]) -> Headers:
    found: Headers = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _check_method(method: str) -> None:
    if method != "POST":
        raise Refused(Problem(405, "method-not-allowed", "Send webhooks with POST.", headers={"Allow": "POST"}))


def _announced_length(headers: Headers) -> int:
    text = (headers.get("content-length") or ["0"])[0]
    return int(text) if text.isdigit() else 0


async def _read(receive: Any) -> bytes:
    pieces, length = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        piece = message.get("body", b"")
        length += len(piece)
        inspection.check_size(length)
        pieces.append(piece)
        if not message.get("more_body"):
            return b"".join(pieces)


async def _send_stored(send: Any, stored: Stored) -> None:
    if stored.status == Status.REUSED_ID:
        detail = "This id came before with another body. Give each event an id of its own."
        await _send_problem(send, Problem(409, "event-id-reused", detail))
        return
    await _send_json(send, _CODES[stored.status], {"id": str(stored.id), "status": stored.status.value}, {})


async def _send_problem(send: Any, problem: Problem) -> None:
    await _send_json(send, problem.status, problem.body, problem.headers, problems.MEDIA_TYPE)


async def _send_json(
    send: Any, status: int, body: dict[str, Any], headers: dict[str, str], media_type: str = "application/json"
) -> None:
    content = json.dumps(body).encode()
    pairs = [(b"content-type", media_type.encode()), (b"content-length", str(len(content)).encode())]
    pairs += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": content})
