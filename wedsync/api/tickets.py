"""``POST /api/channels/tickets/``: a ticket for one socket."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from wedsync.api.authentication import client_of
from wedsync.api.idempotency import IdempotentPosts
from wedsync.api.problems import Unprocessable
from wedsync.api.scopes import Scoped
from wedsync.api.shapes import TicketChannelsShape, TicketShape
from wedsync.live import tickets
from wedsync.live.channels import MOST_CHANNELS, check_name
from wedsync.problems import FieldProblem
from wedsync.weddings.models import ApiScope


class TicketsView(Scoped, IdempotentPosts):
    """Tickets of the caller's organization."""

    read_scope, write_scope = ApiScope.LIVE_READ, ApiScope.LIVE_READ
    answers_secrets = True

    @extend_schema(request=TicketChannelsShape, responses={201: TicketShape})
    def post(self, request: Request) -> Response:
        """201 ``{"ticket", "expires_at"}``; ``{"channels": [...]}`` in the body narrows it to these."""
        client = client_of(request)
        text, expires_at = tickets.issue(
            client.organization.id, api_key_id=client.api_key.id, channels=_channels(request.data)
        )
        return Response({"ticket": text, "expires_at": expires_at.isoformat()}, status=201)


def _channels(body: object) -> list[str] | None:
    wanted = body.get("channels") if isinstance(body, dict) else None
    if wanted is None:
        return None
    if not isinstance(wanted, list) or len(wanted) > MOST_CHANNELS:
        raise Unprocessable(FieldProblem("channels", f"must be a list of at most {MOST_CHANNELS} names"))
    try:
        return [check_name(str(name)) for name in wanted]
    except ValueError as error:
        raise Unprocessable(FieldProblem("channels", str(error))) from error
