"""``POST /api/journey/``: a milestone of a couple's journey."""

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.wedding_events.publishing import reach_milestone
from wedsync.api.base_views.idempotency import IdempotentPosts
from wedsync.api.base_views.scopes import Scoped
from wedsync.api.keys.authentication import client_of
from wedsync.api.problems import Unprocessable
from wedsync.api.requests.bodies import Body
from wedsync.api.weddings.shapes import AcceptedShape
from wedsync.weddings.models import ApiScope, Wedding
from wedsync.wire.plain_text import clean
from wedsync.wire.problems import FieldProblem


class Milestone(Body):
    """The body: ``progress`` in percent."""

    wedding_id = serializers.UUIDField()
    milestone = serializers.CharField(max_length=200)
    progress = serializers.IntegerField(min_value=0, max_value=100)


class JourneyView(Scoped, IdempotentPosts):
    """The journeys of the caller's organization."""

    read_scope, write_scope = ApiScope.EVENTS_READ, ApiScope.EVENTS_WRITE

    @extend_schema(request=Milestone, responses={201: AcceptedShape})
    def post(self, request: Request) -> Response:
        """Report a milestone; 201 with the event's id, after its commit."""
        body = Milestone(data=clean(request.data))
        body.is_valid(raise_exception=True)
        values = body.validated_data
        organization = client_of(request).organization
        wedding = Wedding.objects.filter(organization=organization, id=values["wedding_id"]).first()
        if wedding is None:
            raise Unprocessable(FieldProblem("wedding_id", "does not belong to your organization"))
        with transaction.atomic():
            now, by = timezone.now(), client_of(request).author
            event = reach_milestone(wedding, values["milestone"], values["progress"], occurred_at=now, by=by)
        return Response({"id": str(event.id), "status": "accepted"}, status=201)
