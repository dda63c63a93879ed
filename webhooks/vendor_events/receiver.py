"""The vendors' receiver: an ASGI callable outside Django, for ``POST /api/webhooks/channel-events`` (docs/adr/0007).

A request is answered 202 only after its own row is committed. The order of the checks is part of the contract
(docs/vendors/README.md).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError

from webhooks.committer import Committer, StorageAway
from webhooks.doors import Door, Doors
from webhooks.limits import Allowance, Limits, sender_name
from webhooks.rejections import Rejected, Sample
from webhooks.requests import inspection
from webhooks.requests.http import AWAY, OUR_FAULT, Headers, headers_of, read_body, remote_address
from webhooks.requests.inspection import EXPLAINED
from webhooks.requests.large_bodies import READ_AT_ONCE, LargeBodies
from webhooks.requests.refusals import Refused
from webhooks.vendor_events import emergencies
from webhooks.vendor_events.emergencies import EmergencyReading
from webhooks.vendor_events.envelope import Accepted, open_body
from webhooks.vendor_events.over_limit import EmergencyShare
from webhooks.vendor_events.storing import Stored, StoreResult
from wedsync.web.answers import Pairs, send_json, send_problem
from wedsync.web.request_bodies import Beyond, BodyReader, Disconnected, too_large
from wedsync.web.transfers import Pace
from wedsync.wire.problems import Problem
from wedsync.wire.strict_json import LARGEST

T = TypeVar("T")
log = structlog.get_logger(__name__)
PREFIX = "/api/webhooks/channel-events"
CONNECTION_HEADER = "x-wedsync-connection"
LARGEST_READ = 1024 * 1024
"""Bytes that are read of a body too large to be accepted, since it may report an emergency."""
IDLE_BEYOND = 1.0  # seconds without a byte after which the rest of such a body is not awaited
_CODES = {StoreResult.ACCEPTED: 202, StoreResult.UNRECOGNISED: 202, StoreResult.DUPLICATE: 200}
_NO_DOOR = Problem(
    404,
    "connection-unknown",
    "There is no such connection. Check the id in the path or in X-WedSync-Connection.",
)
_NOT_POST = Problem(405, "method-not-allowed", "Send webhooks with POST.", headers={"Allow": "POST"})
_REUSED_ID = Problem(409, "event-id-reused", "This id was used before with another body. Give each event its own id.")


@dataclass(slots=True)
class _Request:
    """One request during the checks, with what is known about it so far.

    ``over``: the refusal for a limit that it exceeds, which is its answer unless it proves to be an emergency.
    """

    method: str
    path: str
    headers: Headers
    address: str | None
    door: Door | None = None
    body: bytes = b""
    signed: bool = False
    older_secret_id: str | None = None
    allowance: Allowance | None = None
    over: Refused | None = None


class Receiver:
    """Checks a request, has it stored, and answers."""

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
        self._share = EmergencyShare(limits)
        self._hurried = Pace(IDLE_BEYOND, settings.BODY_SLOWEST_BYTES)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        request = _Request(scope["method"], scope["path"], headers_of(scope), remote_address(scope))
        try:
            stored = await self._accept(request, receive)
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

    async def _accept(self, request: _Request, receive: Any) -> Stored:
        door = request.door = await self._enter(request)
        if request.over is None:
            await self._verify(request, door, receive)
            request.allowance = self._limits.connections.count(door.connection_id, door.limit_per_hour)
            if not request.allowance.passes:
                request.over = Refused(_too_many(request.allowance, "of this connection"))
        else:
            await self._verify_over_limit(request, door, receive)
        if request.over is not None and not await self._is_emergency_with_room(request, door):
            raise request.over
        opening = partial(open_body, door.vendor, request.body, time.time())
        envelope = await self._aside(door, request.body, opening)
        kept = inspection.kept(request.headers)
        accepted = Accepted(door, envelope, request.body, kept, request.address, request.older_secret_id)
        stored = await self._committer.submit(accepted, len(request.body))
        if stored.status is StoreResult.REUSED_ID:
            raise Refused(_REUSED_ID)
        if stored.status is StoreResult.NO_CONNECTION:
            raise Refused(_NO_DOOR)
        return stored

    async def _aside(self, door: Door, body: bytes, reading: Callable[[], T]) -> T:
        """The result of parsing a body: a small one here, a large one outside the event loop."""
        if len(body) <= READ_AT_ONCE:
            return reading()
        return await self._large.read(door.connection_id, reading)

    async def _emergency(self, door: Door, body: bytes) -> EmergencyReading | None:
        """The emergency that a body reports, if any."""
        if len(body) <= LARGEST and not emergencies.may_be_one(body):
            return None
        return await self._aside(door, body, partial(emergencies.read, door.vendor, body))

    async def _verify(self, request: _Request, door: Door, receive: Any) -> None:
        if request.method != "POST":
            raise Refused(_NOT_POST)
        await self._read(request, door, receive)
        inspection.check_type(request.headers)
        if request.over is not None and not self._share.checks(_sender(request), request.body):
            raise request.over
        request.older_secret_id = inspection.check_signature(
            door, door.vendor.signature, request.headers, request.body, time.time(), EXPLAINED
        )
        request.signed = True

    async def _read(self, request: _Request, door: Door, receive: Any) -> None:
        """Read the body. A signed one that is too large is still read, since it may report an emergency."""

        def wanted() -> bool:
            signs = inspection.claims_signature(door.vendor.signature, request.headers)
            return signs and self._share.reads_large(_sender(request))

        beyond = Beyond(LARGEST_READ, self._hurried, wanted)
        request.body = await read_body(self._bodies, receive, request.headers, LARGEST, beyond)
        if len(request.body) > LARGEST:
            signed = await self._aside(door, request.body, partial(_may_be_signed_emergency, request, door))
            problem = too_large(LARGEST, is_here=True).problem
            raise Refused(problem, signed=signed and self._share.passes(door.connection_id))

    async def _verify_over_limit(self, request: _Request, door: Door, receive: Any) -> None:
        """Like :meth:`_verify` for a sender over its limit, who learns only that, whatever the refusal."""
        try:
            await self._verify(request, door, receive)
        except Refused as refused:
            over = request.over or refused
            over.signed = refused.signed
            raise over from refused

    async def _is_emergency_with_room(self, request: _Request, door: Door) -> bool:
        """Whether a verified request over a limit reports an emergency and may pass."""
        found = await self._emergency(door, request.body)
        return found is not None and self._share.passes(door.connection_id)

    async def _enter(self, request: _Request) -> Door:
        """The door that the request names. If the sender is over its limit, sets ``request.over``.

        The door lists the vendor's own networks. Over the limit, doors are looked up for a bounded number of
        requests, so that strangers cannot keep PostgreSQL busy.
        """
        named = request.path.removeprefix(PREFIX).strip("/") or (request.headers.get(CONNECTION_HEADER) or [""])[0]
        door = self._doors.last_known(named)
        if not self._spares(request, door):
            request.allowance = self._limits.addresses.count(_sender(request))
            if not request.allowance.passes:
                request.over = Refused(_too_many(request.allowance, "from your address"))
                return await self._enter_over_limit(request, named, request.over)
        door = await self._doors.find(named)
        if door is None or not door.is_of_a_vendor:
            raise Refused(_NO_DOOR)
        return door

    async def _enter_over_limit(self, request: _Request, named: str, over: Refused) -> Door:
        request.door = self._doors.last_known(named)
        if not self._share.reads(_sender(request)):
            self._doors.look_up_soon(named)
            raise over
        try:
            door = await self._doors.find(named)
        except StorageAway as error:
            raise over from error
        if door is None or not door.is_of_a_vendor:
            raise over
        if self._spares(request, door):
            request.over = None
        return door

    def _spares(self, request: _Request, door: Door | None) -> bool:
        """Whether the sender is in its vendor's own networks; then only the connection's limit applies."""
        if door is None or not request.address or not door.spares(request.address):
            return False
        request.allowance = self._limits.connections.allowance(door.connection_id, door.limit_per_hour)
        return True

    async def _refuse(self, request: _Request, refused: Refused, receive: Any, send: Any) -> None:
        problem = refused.problem
        if request.door is not None and problem not in (_REUSED_ID, _NO_DOOR):
            try:
                emergency = await self._is_signed_emergency(request, request.door, refused)
                rejected = Rejected(
                    request.door, refused, request.signed or emergency, request.body, inspection.kept(request.headers),
                    request.address, request.older_secret_id, emergency=emergency,
                )  # fmt: skip
                await self._keep(rejected)
            except (StorageAway, OperationalError, InterfaceError) as error:
                log.warning("rejection_not_stored", error=type(error).__name__)
                problem = AWAY
        await send_problem(send, problem, _limit_headers(request), receive)

    async def _is_signed_emergency(self, request: _Request, door: Door, refused: Refused) -> bool:
        """Whether it reports an emergency and is signed with a live secret; notes the sender's id and type."""
        if not request.body or not (request.signed or refused.signed or _would_verify(request, door, refused)):
            return False
        found = await self._emergency(door, request.body)
        if found is None:
            return False
        refused.external_id = refused.external_id or found.external_id
        refused.vendor_type = refused.vendor_type or found.vendor_type
        return True

    async def _keep(self, rejected: Rejected) -> None:
        """Keep a receipt of a refused request; the answer waits for it only if it is kept whole."""
        if rejected.is_kept_whole:
            await self._rejections.submit(rejected, rejected.size)
        elif self._sample.chooses(rejected):
            self._rejections.offer(rejected)


def _sender(request: _Request) -> str:
    return sender_name(request.address or "")


def _would_verify(request: _Request, door: Door, refused: Refused) -> bool:
    """Whether a live secret signed a request that was refused for its content type before its signature."""
    return refused.problem.status == 415 and _verifies(request, door)


def _may_be_signed_emergency(request: _Request, door: Door) -> bool:
    """Whether an unread body may report an emergency and is signed with a live secret."""
    return emergencies.may_be_one(request.body) and _verifies(request, door)


def _verifies(request: _Request, door: Door) -> bool:
    """Whether a live secret signed the body, even if outside the window."""
    try:
        inspection.check_signature(door, door.vendor.signature, request.headers, request.body, time.time(), EXPLAINED)
    except Refused as unsigned:
        return unsigned.signed
    return True


def _too_many(allowance: Allowance, of_what: str) -> Problem:
    detail = f"The limit is {allowance.limit} requests an hour {of_what}. Try again in {allowance.seconds} s."
    return Problem(429, "too-many-requests", detail, headers={"Retry-After": str(allowance.seconds)})


def _limit_headers(request: _Request) -> Pairs:
    return request.allowance.headers if request.allowance else []
