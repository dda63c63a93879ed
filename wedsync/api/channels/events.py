"""``POST /api/channels/<name>/events/``: publish an event on a live channel."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from wedsync.api.base_views.idempotency import IdempotentPosts
from wedsync.api.base_views.scopes import Scoped
from wedsync.api.channels.shapes import PublishedShape, PublishShape
from wedsync.api.keys.authentication import client_of
from wedsync.api.keys.limits import Share
from wedsync.api.problems import Unprocessable
from wedsync.live import publishing
from wedsync.live.access import passes
from wedsync.weddings.models import ApiScope


class NotHere(APIException):
    """The key may not publish this, or not on this channel."""

    status_code = 403


class EventsView(Scoped, IdempotentPosts):
    """The events of one channel of the caller's organization."""

    read_scope, write_scope = ApiScope.LIVE_READ, ApiScope.LIVE_PUBLISH

    def share_for(self, request: Request) -> Share:
        """Published events count apart, together with those published on sockets."""
        return Share.PUBLISHED

    @extend_schema(
        request=PublishShape,
        responses={201: PublishedShape},
        examples=[
            OpenApiExample(
                "a type of one's own", {"type": "custom.menu_chosen", "payload": {"menu": "veal"}}, request_only=True
            )
        ],
    )
    def post(self, request: Request, name: str) -> Response:
        """Publish an event; 201 with its id, after its commit."""
        asked = PublishShape(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            published = publishing.publish_for(passes.of_key(client_of(request).api_key), name, asked.validated_data)
        except publishing.PublishForbidden as error:
            raise NotHere(str(error)) from error
        except publishing.PublishRefused as error:
            raise Unprocessable(*error.problems) from error
        answer = {"id": str(published.event.id), "status": "accepted", "sequence": published.sequence}
        return Response(answer, status=201)
