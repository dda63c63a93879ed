"""Who may open a socket: the bearer of a ticket, or staff with a session on one of our own pages.

Whoever is refused never reaches the consumer, so that strangers cost neither a Redis connection nor a task.
"""

from typing import Any
from urllib.parse import parse_qs, urlparse

from channels.auth import AuthMiddlewareStack
from channels.security.websocket import AllowedHostsOriginValidator

from wedsync.live import tickets
from wedsync.live.tickets import Pass
from wedsync.threads import in_thread
from wedsync.weddings.models import Membership

CLOSE_NO_ENTRY = 3500  # terminal: a client must not try again with the same ticket


class Entrance:
    """An ASGI application in front of the consumer, which finds the :class:`Pass` in ``scope["pass"]``."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self._with_session = AuthMiddlewareStack(self._by_session)
        self._origins = AllowedHostsOriginValidator(consumer)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Admit or refuse one socket."""
        ticket = _query(scope, "ticket")
        if ticket is not None:
            await self._admit(await in_thread(tickets.redeem, ticket), scope, receive, send)
        elif self._is_our_page(scope):
            await self._with_session(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": CLOSE_NO_ENTRY})

    def _is_our_page(self, scope: dict[str, Any]) -> bool:
        """Browsers send the session's cookie along from any page, so the page's origin must be ours."""
        given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
        return len(given) == 1 and bool(self._origins.valid_origin(urlparse(given[0])))

    async def _by_session(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        user = scope["user"]
        entry = None
        if user.is_authenticated:
            entry = await in_thread(_session_pass, user.pk, _query(scope, "organization") or "")
        await self._admit(entry, scope, receive, send)

    async def _admit(self, entry: Pass | None, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if entry is not None:
            await self._consumer({**scope, "pass": entry}, receive, send)
            return
        await receive()
        await send({"type": "websocket.accept"})  # only an open socket can be told a close code
        await send({"type": "websocket.close", "code": CLOSE_NO_ENTRY, "reason": "no valid ticket or session"})


def _query(scope: dict[str, Any], name: str) -> str | None:
    found = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    return found[name][0] if name in found else None


def _session_pass(user_id: int, organization: str) -> Pass | None:
    """The pass of a member of staff: of the named organization, else of the first that the user belongs to."""
    memberships = Membership.objects.filter(user_id=user_id, user__is_active=True, user__is_staff=True).order_by("id")
    if organization:
        memberships = memberships.filter(organization__slug=organization)
    membership = memberships.first()
    return Pass(membership.organization_id) if membership else None
