"""The providers' receiver: an ASGI callable for ``GET|POST /api/webhooks/providers/<provider>/<connection>``.

docs/operators/callbacks.md: 200 once it is stored, 401 only for a bad signature. A signed callback that cannot be read
is kept and answered 200, since the provider could only send the same again.
"""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import structlog
from django.conf import settings

from webhooks.callbacks import PROVIDERS
from webhooks.callbacks.base import Answer, Notice, Provider, Unreadable
from webhooks.callbacks.storing import CallbackReceived
from webhooks.committer import Committer, StorageAway
from webhooks.doors import Door, Doors
from webhooks.rejections import Rejected, Sample
from webhooks.requests import http, inspection
from webhooks.requests.http import AWAY, OUR_FAULT, Headers
from webhooks.requests.inspection import EXPLAINED
from webhooks.requests.large_bodies import READ_AT_ONCE, LargeBodies
from webhooks.requests.refusals import Refused
from wedsync.web import answers
from wedsync.web.request_bodies import BodyReader, Disconnected
from wedsync.wire.problems import Problem

log = structlog.get_logger(__name__)
PREFIX = "/api/webhooks/providers"
MOST_WAITING = 32 * 1024 * 1024
"""Bytes of all bodies that wait for their commit; more are answered 503, so that memory stays bounded."""
MOST_QUERY_FIELDS = 20
_CONNECTION_ID = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)
_NO_DOOR = Problem(404, "connection-unknown", "There is no such connection of this provider. Check the URL.")
_NO_HANDSHAKE = Problem(403, "handshake-refused", "The verify token is not one of this connection. Enter it again.")


@dataclass(slots=True)
class _Request:
    """One request during the checks, with what is known about it so far."""

    method: str
    path: str
    query: bytes
    headers: Headers
    address: str | None
    door: Door | None = None
    body: bytes = b""

    @property
    def url(self) -> str:
        """The public URL, as the provider knows it: a proxy may have changed scheme, host and port."""
        query = self.query.decode("latin-1")
        return f"{settings.PUBLIC_URL}{self.path}{'?' if query else ''}{query}"


class CallbackReceiver:
    """Verifies a callback, has it stored, and answers as the provider expects."""

    def __init__(
        self,
        doors: Doors,
        bodies: BodyReader,
        large: LargeBodies,
        committer: "Committer[CallbackReceived, int | None]",
        rejections: "Committer[Rejected, None]",
    ) -> None:
        self._doors = doors
        self._bodies = bodies
        self._large = large
        self._committer = committer
        self._rejections = rejections
        self._sample = Sample()
        self._waiting = 0

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        request = _Request(
            scope["method"], scope["path"], scope["query_string"], http.headers_of(scope), http.remote_address(scope)
        )
        try:
            provider, request.door = await self._enter(scope["path"])
            text, content_type = await self._accept(provider, request.door, request, receive)
        except Refused as refused:
            self._keep(request, refused)
            await answers.send_problem(send, refused.problem, receive=receive)
        except StorageAway as error:
            log.warning("callback_not_stored", reason=str(error))
            await answers.send_problem(send, AWAY)
        except Disconnected:
            return
        except Exception:
            log.exception("callback_failed")
            await answers.send_problem(send, OUR_FAULT)
        else:
            await answers.send_text(send, 200, text, content_type)

    async def _enter(self, path: str) -> tuple[Provider, Door]:
        slug, _, connection_id = path.removeprefix(PREFIX).strip("/").partition("/")
        provider = PROVIDERS.get(slug)
        if provider is None or not _CONNECTION_ID.fullmatch(connection_id):
            raise Refused(_NO_DOOR)
        door = await self._doors.find(connection_id)
        if door is None or door.kind != provider.kind:
            raise Refused(_NO_DOOR)
        return provider, door

    async def _accept(self, provider: Provider, door: Door, request: _Request, receive: Any) -> Answer:
        """Check and store a request; returns the answer."""
        _check_method(request.method, provider)
        if request.method == "GET":
            return Answer(_challenge(provider, door, request.query))
        request.body = await http.read_body(self._bodies, receive, request.headers, provider.largest)
        older_secret_id = inspection.check_signature(
            door, provider.signature, request.headers, request.body, time.time(), _explained(provider), request.url
        )
        with self._room(len(request.body)):
            notices, unreadable = await self._read(provider, door, request)
            item = CallbackReceived(
                door=door,
                body=request.body,
                notices=notices,
                unreadable=unreadable,
                older_secret_id=older_secret_id,
                headers=inspection.kept(request.headers),
                remote_address=request.address,
            )
            if await self._committer.submit(item, len(item.body)) is None:
                raise Refused(_NO_DOOR)
        return provider.answer

    async def _read(self, provider: Provider, door: Door, request: _Request) -> tuple[Sequence[Notice], str]:
        """The notices in the body; none if it is unreadable, and the reason."""
        read = partial(provider.read, request.headers, request.body, datetime.now(UTC), request.url)
        try:
            if len(request.body) <= READ_AT_ONCE:
                return read(), ""
            return await self._large.read(door.connection_id, read), ""
        except Unreadable as error:
            log.warning("callback_unreadable", provider=provider.slug, reason=str(error))
            return (), str(error)

    def _keep(self, request: _Request, refused: Refused) -> None:
        """Keep a receipt of a refused request, so that staff see a wrong secret; the answer does not wait for it."""
        if request.door is None or refused.problem is _NO_DOOR:
            return
        kept = inspection.kept(request.headers)
        rejected = Rejected(request.door, refused, False, request.body, kept, request.address)
        if self._sample.chooses(rejected):
            self._rejections.offer(rejected)

    @contextmanager
    def _room(self, size: int) -> Iterator[None]:
        if self._waiting + size > MOST_WAITING:
            raise StorageAway("too many bytes are waiting for their commit")
        self._waiting += size
        try:
            yield
        finally:
            self._waiting -= size


def _check_method(method: str, provider: Provider) -> None:
    if method not in provider.methods:
        allowed = ", ".join(provider.methods)
        detail = f"{provider.label} calls this URL with {allowed} only."
        raise Refused(Problem(405, "method-not-allowed", detail, headers={"Allow": allowed}))


def _challenge(provider: Provider, door: Door, query_string: bytes) -> str:
    try:
        query = parse_qs(query_string.decode("latin-1"), max_num_fields=MOST_QUERY_FIELDS)
    except ValueError as error:
        raise Refused(_NO_HANDSHAKE) from error
    text = provider.challenge(query, door.handshakes)
    if text is None:
        raise Refused(_NO_HANDSHAKE)
    return text


def _explained(provider: Provider) -> dict[str, str]:
    detail = f"The request has no valid, recent signature of {provider.label} by a live secret of this connection."
    return dict.fromkeys(EXPLAINED, detail)
