"""The vendors' receiver: an ASGI callable beside Django's, for ``POST /api/webhooks/channel-events`` (docs/adr/0007).

A request is answered 202 only after its own row is committed. The order of the checks is part of the contract
(docs/vendors/README.md).
"""

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError

from webhooks import inspection
from webhooks.committer import Committer, StorageAway
from webhooks.doors import Door, Doors
from webhooks.http import AWAY, OUR_FAULT, Headers, headers_of, read_body, remote_address
from webhooks.inspection import EXPLAINED, Accepted, Envelope, Refused
from webhooks.large_bodies import READ_AT_ONCE, LargeBodies
from webhooks.limits import Allowance, Limits, sender_name
from webhooks.rejections import Rejected, Sample
from webhooks.storing import Status, Stored
from wedsync.answers import Pairs, send_json, send_problem
from wedsync.problems import Problem
from wedsync.request_bodies import BodyReader, Disconnected
from wedsync.strict_json import LARGEST

log = structlog.get_logger(__name__)
PREFIX = "/api/webhooks/channel-events"
CONNECTION_HEADER = "x-wedsync-connection"
_CODES = {Status.ACCEPTED: 202, Status.UNRECOGNISED: 202, Status.DUPLICATE: 200}
_NO_DOOR = Problem(
    404, "connection-unknown", "There is no such connection. Check the id in the path or in X-WedSync-Connection."
)
_NOT_POST = Problem(405, "method-not-allowed", "Send webhooks with POST.", headers={"Allow": "POST"})
_REUSED_ID = Problem(409, "event-id-reused", "This id came before with another body. Give each event an id of its own.")


@dataclass(slots=True)
class _Request:
    """One request on its way through the checks, with what is known of it so far."""

    method: str
    path: str
    headers: Headers
    address: str | None
    door: Door | None = None
    body: bytes = b""
    signed: bool = False
    older_secret_id: str | None = None
    allowance: Allowance | None = None


class Receiver:
    """Checks a request, has it stored, answers."""

    def __init__(
        self,
        doors: Doors,
        limits: Limits,
        bodies: BodyReader,
        large: LargeBodies,
        committer: "Committer[Accepted, Stored]",
        rejections: "Committer[Rejected, None]",
    ) -> None:
        self._doors = doors
        self._limits = limits
        self._bodies = bodies
        self._large = large
        self._committer = committer
        self._rejections = rejections
        self._sample = Sample()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        request = _Request(scope["method"], scope["path"], headers_of(scope), remote_address(scope))
        try:
            stored = await self._take(request, receive)
        except Refused as refused:
            await self._refuse(request, refused, receive, send)
        except (StorageAway, OperationalError, InterfaceError) as error:
            log.warning("webhook_not_stored", error=type(error).__name__)
            await send_problem(send, AWAY, _limit_headers(request))
        except Disconnected:
            return
        except Exception:
            log.exception("webhook_failed")
            await send_problem(send, OUR_FAULT, _limit_headers(request))
        else:
            answer = {"id": stored.id, "status": stored.status.value}
            await send_json(send, _CODES[stored.status], answer, _limit_headers(request))

    async def _take(self, request: _Request, receive: Any) -> Stored:
        door = request.door = await self._enter(request)
        if request.method != "POST":
            raise Refused(_NOT_POST)
        request.body = await read_body(self._bodies, receive, request.headers, LARGEST)
        inspection.check_type(request.headers)
        now, vendor = time.time(), door.vendor
        request.older_secret_id = inspection.check_signature(
            door, vendor.signature, request.headers, request.body, now, EXPLAINED
        )
        request.signed = True
        request.allowance = self._limits.connections.count(door.connection_id, door.limit_per_hour)
        if not request.allowance.passes:
            raise Refused(_too_many(request.allowance, "of this connection"))
        envelope = await self._opened(door, request.body, now)
        kept = inspection.kept(request.headers)
        accepted = Accepted(door, envelope, request.body, kept, request.address, request.older_secret_id)
        stored = await self._committer.submit(accepted, len(request.body))
        if stored.status is Status.REUSED_ID:
            raise Refused(_REUSED_ID)
        if stored.status is Status.NO_CONNECTION:
            raise Refused(_NO_DOOR)
        return stored

    async def _opened(self, door: Door, body: bytes, now: float) -> Envelope:
        if len(body) <= READ_AT_ONCE:
            return inspection.open_body(door.vendor, body, now)
        return await self._large.read(door.connection_id, partial(inspection.open_body, door.vendor, body, now))

    async def _enter(self, request: _Request) -> Door:
        """The door that the request names, within the limit of its sender's address.

        The vendor's own networks are known with the door. Over the limit an unknown one is looked up for the next time
        only, a few at once, so that strangers can not keep PostgreSQL busy.
        """
        named = request.path.removeprefix(PREFIX).strip("/") or (request.headers.get(CONNECTION_HEADER) or [""])[0]
        door = self._doors.last_known(named)
        if door is not None and request.address and door.spares(request.address):
            request.allowance = self._limits.connections.allowance(door.connection_id, door.limit_per_hour)
        else:
            request.allowance = self._limits.addresses.count(sender_name(request.address or ""))
            if not request.allowance.passes:
                request.door = door
                self._doors.look_up_soon(named)
                raise Refused(_too_many(request.allowance, "from your address"))
        door = await self._doors.find(named)
        if door is None or not door.is_of_a_vendor:
            raise Refused(_NO_DOOR)
        return door

    async def _refuse(self, request: _Request, refused: Refused, receive: Any, send: Any) -> None:
        problem = refused.problem
        if request.door is not None and problem not in (_REUSED_ID, _NO_DOOR):
            rejected = Rejected(
                request.door, refused, request.signed, request.body, inspection.kept(request.headers), request.address,
                request.older_secret_id,
            )  # fmt: skip
            try:
                await self._keep(rejected)
            except (StorageAway, OperationalError, InterfaceError) as error:
                log.warning("rejection_not_stored", error=type(error).__name__)
                problem = AWAY
        await send_problem(send, problem, _limit_headers(request), receive)

    async def _keep(self, rejected: Rejected) -> None:
        """A receipt of what was refused; its sender waits for it only where it may count on it."""
        if rejected.is_kept_whole:
            await self._rejections.submit(rejected, rejected.size)
        elif self._sample.chooses(rejected):
            self._rejections.offer(rejected)


def _too_many(allowance: Allowance, of_what: str) -> Problem:
    detail = f"The limit is {allowance.limit} requests an hour {of_what}. Try again in {allowance.seconds} s."
    return Problem(429, "too-many-requests", detail, headers={"Retry-After": str(allowance.seconds)})


def _limit_headers(request: _Request) -> Pairs:
    return request.allowance.headers if request.allowance else []
