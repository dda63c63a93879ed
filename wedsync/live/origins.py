"""Who may open a socket at all: a session cookie counts only from our own pages; a ticket proves itself."""

from typing import Any
from urllib.parse import parse_qs

from channels.security.websocket import AllowedHostsOriginValidator


class SameOriginOrTicket:
    """Check the ``Origin`` of sockets without a ticket, since browsers send cookies along from any page."""

    def __init__(self, application: Any) -> None:
        self._checked = AllowedHostsOriginValidator(application)
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Hand the socket on."""
        has_ticket = "ticket" in parse_qs(scope.get("query_string", b"").decode("latin-1"))
        await (self._application if has_ticket else self._checked)(scope, receive, send)
