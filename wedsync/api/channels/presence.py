"""``GET /api/channels/<name>/presence/``: how many people follow a live channel now."""

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from wedsync.api.base_views.scopes import Scoped
from wedsync.api.channels.shapes import PresenceShape
from wedsync.api.keys.authentication import client_of
from wedsync.live.access import passes
from wedsync.live.log.reader import ChannelKey
from wedsync.live.presence import store
from wedsync.weddings.models import ApiScope


class PresenceUnknown(APIException):
    """Redis does not answer."""

    status_code = 503
    slug = "unavailable"
    default_detail = "Who follows is not known now. Try again in a few seconds."
    wait = 5


class NotCovered(APIException):
    """The key is limited to other channels."""

    status_code = 403
    default_detail = "Your key does not cover this channel."


class PresenceView(Scoped):
    """The presence on one channel of the caller's organization."""

    read_scope = write_scope = ApiScope.LIVE_PRESENCE

    @extend_schema(responses=PresenceShape)
    def get(self, request: Request, name: str) -> Response:
        """How many follow it now; people with several tabs count once."""
        client = client_of(request)
        if not passes.of_key(client.api_key).covers(name):
            raise NotCovered
        try:
            present = store.read_now(ChannelKey(client.organization.id, name))
        except store.Unavailable as error:
            raise PresenceUnknown from error
        return Response({"count": len(present.people)})
