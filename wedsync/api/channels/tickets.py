"""``POST /api/channels/tickets/``: a ticket for one socket."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from wedsync.api.base_views.idempotency import IdempotentPosts
from wedsync.api.base_views.scopes import Scoped
from wedsync.api.channels.shapes import TicketChannelsShape, TicketShape
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

    @extend_schema(request=TicketChannelsShape, responses={201: TicketShape})
    def post(self, request: Request) -> Response:
        """201 ``{"ticket", "expires_at"}``; ``{"channels": [...]}`` in the body limits it to these channels."""
        client, asked = client_of(request), TicketChannelsShape(data=request.data)
        asked.is_valid(raise_exception=True)
        text, expires_at = tickets.issue(
            client.organization.id, api_key_id=client.api_key.id, channels=asked.validated_data.get("channels")
        )
        return Response({"ticket": text, "expires_at": expires_at.isoformat()}, status=201)
