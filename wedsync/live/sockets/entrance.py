"""Who may open a socket: the bearer of a ticket, or staff with a session on one of our own pages.

Refused clients never reach the application behind it, so that strangers cost little.
"""

from functools import partial
from typing import Any
from urllib.parse import parse_qs

import structlog
from channels.auth import AuthMiddlewareStack
from channels.security.websocket import AllowedHostsOriginValidator

from wedsync.database.errors import POSTGRES_AWAY
from wedsync.live import threads
from wedsync.live.access import passes, ticket_texts, tickets
from wedsync.live.access.origins import is_our_own
from wedsync.live.access.passes import Pass
from wedsync.live.close_codes import CloseCode
from wedsync.live.quotas import Refused, quotas
from wedsync.live.sockets.server_protocol import EXTENSION
from wedsync.live.sockets.subprotocol import SUBPROTOCOL, is_spoken, to_accept

log = structlog.get_logger(__name__)
LONGEST_REASON = 123  # bytes of a close frame
TICKET, ORGANIZATION = "ticket", "organization"


class Entrance:
    """An ASGI application in front of another one, which finds the :class:`Pass` in ``scope["pass"]``."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._with_session = AuthMiddlewareStack(self._by_session)
        self._hosts = AllowedHostsOriginValidator(application)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Admit or refuse one socket; while PostgreSQL is away, tell it to try again.

        Raises:
            RuntimeError: the server was started with another protocol for WebSockets than ``SocketProtocol``.
        """
        connection = scope["extensions"].get(EXTENSION)
        if connection is None:
            raise RuntimeError("Start wedsync.web.server as the Procfile does: sockets need their own protocol.")
        try:
            slot = quotas.enter((scope.get("client") or ("",))[0])
        except Refused as refused:
            await self._turn_away(refused, scope, receive, send)
            return
        connection.when_lost(partial(quotas.leave, slot))
        await self._judge_or_wait({**scope, "slot": slot}, receive, send)

    async def _judge_or_wait(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        accepted = False

        async def sending(message: Any) -> None:
            nonlocal accepted
            accepted = accepted or message["type"] == "websocket.accept"
            await send(message)

        try:
            await self._judge(scope, receive, sending)
        except POSTGRES_AWAY as error:
            if accepted:
                raise
            log.warning("socket_not_judged", error=type(error).__name__)
            reason = "not available, try again in a few seconds"
            await self._refuse(CloseCode.DATABASE_AWAY, reason, scope, receive, send)

    async def _judge(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        asked = _query(scope)
        unknown = sorted(set(asked) - {TICKET, ORGANIZATION})
        if unknown:
            reason = f"unknown parameter: {unknown[0][:60]}"
            await self._refuse(CloseCode.WRONG_PROTOCOL, reason, scope, receive, send)
        elif not is_spoken(scope):
            await self._refuse(CloseCode.WRONG_PROTOCOL, f"speak {SUBPROTOCOL}", scope, receive, send)
        elif TICKET in asked:
            await self._by_ticket(asked[TICKET], scope, receive, send)
        elif is_our_own(scope, self._hosts):
            await self._with_session(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": CloseCode.NOT_ALLOWED})

    async def _by_ticket(self, text: str, scope: dict[str, Any], receive: Any, send: Any) -> None:
        try:
            pass_ = await threads.entrance.run(tickets.redeem, text) if ticket_texts.is_ours(text) else None
        except tickets.MayNotFollow as error:
            await self._refuse(CloseCode.NOT_ALLOWED, str(error), scope, receive, send)
            return
        if pass_ is None:
            await self._refuse(CloseCode.BAD_TICKET, "unknown, used or expired ticket", scope, receive, send)
        else:
            await self._admit(pass_, scope, receive, send)

    async def _by_session(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        user = scope["user"]
        pass_ = None
        if user.is_authenticated:
            slug, session = _query(scope).get(ORGANIZATION, ""), scope["session"].session_key
            pass_ = await threads.entrance.run(passes.of_session, user.pk, slug, session, user.password)
        if pass_ is None:
            await self._refuse(CloseCode.NOT_ALLOWED, "no ticket, and no session of a member", scope, receive, send)
        else:
            await self._admit(pass_, scope, receive, send)

    async def _admit(self, pass_: Pass, scope: dict[str, Any], receive: Any, send: Any) -> None:
        try:
            quotas.name(scope["slot"], pass_)
        except Refused as refused:
            await self._turn_away(refused, scope, receive, send)
            return
        await self._application({**scope, "pass": pass_}, receive, send)

    async def _turn_away(self, refused: Refused, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Refuse a client for which there is no room: by a close code; if the process is full, before the upgrade."""
        if refused.code is not None:
            await self._refuse(refused.code, str(refused), scope, receive, send)
            return
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        if refused.retry_after is not None:
            headers.append((b"retry-after", str(refused.retry_after).encode()))
        await receive()
        await send({"type": "websocket.http.response.start", "status": refused.http_status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": f"{refused}\n".encode()})

    async def _refuse(self, code: CloseCode, reason: str, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Accept and close at once, since only an open socket can be told a close code."""
        await receive()
        await send({"type": "websocket.accept", "subprotocol": to_accept(scope)})
        shortened = reason.encode()[:LONGEST_REASON].decode(errors="ignore")
        await send({"type": "websocket.close", "code": code, "reason": shortened})


def _query(scope: dict[str, Any]) -> dict[str, str]:
    """The parameters of the URL, the first value of each."""
    found = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    return {name: values[0] for name, values in found.items()}
