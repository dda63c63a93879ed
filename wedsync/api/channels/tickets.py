"""``POST /api/channels/tickets/``: a ticket for one client."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from wedsync.api.base_views.idempotency import IdempotentPosts
from wedsync.api.base_views.scopes import Scoped
from wedsync.api.channels.shapes import TicketRequestShape, TicketShape
from wedsync.api.keys.authentication import client_of
from wedsync.api.keys.limits import Share
from wedsync.live.access import tickets
from wedsync.weddings.models import ApiScope


class TicketsView(Scoped, IdempotentPosts):
    """Tickets of the caller's organization."""

    read_scope, write_scope = ApiScope.LIVE_READ, ApiScope.LIVE_READ
    answers_secrets = True

    def share_for(self, request: Request) -> Share:
        """Tickets count apart: each opens a socket, which costs more than a call."""
        return Share.TICKETS

    @extend_schema(request=TicketRequestShape, responses={201: TicketShape})
    def post(self, request: Request) -> Response:
        """201 ``{"ticket", "expires_at"}``; the body says whom it is for and limits it to channels."""
        client = client_of(request)
        asked = TicketRequestShape(data=request.data, context={"request": request})
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        text, expires_at = tickets.issue(
            client.organization.id,
            api_key_id=client.api_key.id,
            channels=said.get("channels"),
            contact=said.get("contact"),
            membership=said.get("user"),
        )
        return Response({"ticket": text, "expires_at": expires_at.isoformat()}, status=201)
