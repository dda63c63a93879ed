"""``/api/integrations/connections/``: the connections through which systems send us events, and their secrets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import django_filters
from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.models import Connection, ConnectionSecret, System
from integrations.systems import connection_secrets, lifecycle
from webhooks.connection_urls import provider_of, refusal, url_of
from webhooks.vendor_networks import MOST_NETWORKS, vendor_network
from wedsync.api.base_views.idempotency import IdempotentPosts
from wedsync.api.base_views.owned import Changing, Creating, OwnedSerializer, OwnedViews, Reference
from wedsync.api.base_views.scopes import Scoped
from wedsync.api.keys.authentication import client_of
from wedsync.api.problems import Unprocessable
from wedsync.api.requests.bodies import Body
from wedsync.api.requests.filtering import Filters
from wedsync.weddings.models import ApiScope
from wedsync.wire.problems import FieldProblem

Purpose = ConnectionSecret.Purpose
LONGEST_OVERLAP = int(timedelta(days=90).total_seconds())


class ConnectionShape(OwnedSerializer[Connection]):
    """A connection. Its `url` is what the other side calls; knowing it is not enough, since requests must be signed."""

    system = Reference(System)
    url = serializers.SerializerMethodField()
    limit_per_hour = serializers.IntegerField(
        min_value=1, max_value=1_000_000, allow_null=True, required=False, help_text="`null`: the general limit."
    )
    networks = serializers.ListField(
        child=serializers.CharField(max_length=43),
        max_length=MOST_NETWORKS,
        required=False,
        help_text="The vendor's own networks, such as 203.0.113.0/24; no limit per sender applies to them.",
    )

    class Meta:
        model = Connection
        fields = ("id", "system", "state", "limit_per_hour", "networks", "url", "created_at")
        read_only_fields = ("id", "state", "created_at")

    def get_url(self, connection: Connection) -> str:
        """The URL that the other side calls."""
        return url_of(connection)

    def validate_system(self, system: System) -> System:
        """Refuse another system, since the connection's secrets belong to its system."""
        if self.instance is not None and self.instance.system_id != system.id:
            raise serializers.ValidationError("cannot be changed; create another connection")
        if self.instance is None and (reason := refusal(system)):
            raise serializers.ValidationError(reason)
        return system

    def validate_networks(self, words: list[str]) -> list[str]:
        """The networks in their usual spelling, each once."""
        try:
            return list(dict.fromkeys(map(vendor_network, words)))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error


class SecretShape(serializers.ModelSerializer[ConnectionSecret]):
    """A secret's dates; never the secret itself."""

    live = serializers.BooleanField(read_only=True, help_text="Whether requests signed with it are accepted now.")

    class Meta:
        model = ConnectionSecret
        fields = ("id", "purpose", "created_at", "expires_at", "live")
        read_only_fields = fields


class NewSecret(Body):
    """Which secret to create, and how long the older ones stay valid."""

    purpose = serializers.ChoiceField(choices=Purpose.choices, default=Purpose.SIGNING)
    overlap_seconds = serializers.IntegerField(
        min_value=0,
        max_value=LONGEST_OVERLAP,
        allow_null=True,
        default=86_400,
        help_text="How long the older ones stay valid; `null`: until they are ended.",
    )
    secret = serializers.CharField(
        max_length=500, required=False, write_only=True, help_text="The provider's, for WhatsApp, Slack and Resend."
    )


class MadeSecret(serializers.Serializer[Any]):
    """The secret, shown only once; `null` where it is the provider's own."""

    secret = serializers.CharField(allow_null=True)
    purpose = serializers.ChoiceField(choices=Purpose.choices)


class EndedSecrets(serializers.Serializer[Any]):
    """How many were ended."""

    ended = serializers.IntegerField()


class ResumedConnection(serializers.Serializer[Any]):
    """The connection, and how many held events are routed now."""

    connection = ConnectionShape(read_only=True)
    due = serializers.IntegerField()


class ConnectionFilters(Filters):
    """Filters of connections."""

    system = django_filters.UUIDFilter()
    state = django_filters.MultipleChoiceFilter(choices=Connection.Status.choices)


class ConnectionViews(Creating, Changing, mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnedViews[Connection]):
    """Connections of the caller's organization. One that is no longer wanted is disabled."""

    queryset = Connection.objects.select_related("system")
    serializer_class = ConnectionShape
    filterset_class = ConnectionFilters
    lookup_value_converter = "connection"
    bodiless = frozenset({"pause", "resume", "disable"})
    page_order = ("created_at", "id")
    read_scope, write_scope = ApiScope.CONFIG_READ, ApiScope.CONFIG_WRITE

    @extend_schema(request=None, responses=ConnectionShape)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Accept and store incoming events, and route them later."""
        lifecycle.pause_connection(self.get_object())
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=None, responses=ConnectionShape)
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, pk: str) -> Response:
        """Answer incoming requests with 404 from now on."""
        lifecycle.disable_connection(self.get_object())
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=None, responses=ResumedConnection)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Route incoming events again, and those that were held."""
        due = lifecycle.resume_connection(self.get_object())
        return Response({"connection": self.get_serializer(self.get_object()).data, "due": due})


class SecretsView(Scoped, IdempotentPosts):
    """The secrets of one connection of the caller's organization."""

    read_scope, write_scope = ApiScope.CONFIG_READ, ApiScope.CONFIG_WRITE
    answers_secrets = True

    @extend_schema(operation_id="connections_secrets_list", responses=SecretShape(many=True))
    def get(self, request: Request, connection_id: str) -> Response:
        """The dates of all secrets, newest first; never the secrets themselves."""
        live = ExpressionWrapper(connection_secrets.live_secret(), output_field=BooleanField())
        rows = ConnectionSecret.objects.filter(connection=_door(request, connection_id)).annotate(live=live)
        return Response(SecretShape(rows.order_by("-created_at", "-id")[:200], many=True).data)

    @extend_schema(request=NewSecret, responses={201: MadeSecret})
    @transaction.atomic
    def post(self, request: Request, connection_id: str) -> Response:
        """Create another secret, or store the one that a provider issued. It is shown only once."""
        door = _door(request, connection_id)
        body = NewSecret(data=request.data)
        body.is_valid(raise_exception=True)
        purpose, theirs = Purpose(body.validated_data["purpose"]), body.validated_data.get("secret")
        seconds = body.validated_data["overlap_seconds"]
        overlap = None if seconds is None else timedelta(seconds=seconds)
        made = None
        if _is_theirs(door, purpose, theirs):
            connection_secrets.add_secret(door, str(theirs), overlap=overlap, purpose=purpose)
        else:
            made = connection_secrets.new_secret(door, overlap=overlap, purpose=purpose)
        return Response({"secret": made, "purpose": purpose.value}, status=201)

    @extend_schema(responses={200: EndedSecrets})
    def delete(self, request: Request, connection_id: str) -> Response:
        """End every secret but the newest of its purpose."""
        return Response({"ended": connection_secrets.end_older_secrets(_door(request, connection_id))})


def _door(request: Request, connection_id: str) -> Connection:
    mine = Connection.objects.filter(organization=client_of(request).organization).select_related("system")
    return get_object_or_404(mine, id=connection_id)


def _is_theirs(door: Connection, purpose: Purpose, theirs: str | None) -> bool:
    """Whether the secret comes from the provider. Vendors get theirs from us; a handshake's is always ours.

    Raises:
        Unprocessable: a secret where none is allowed, none where one is required, or an invalid one.
    """
    provider = provider_of(door)
    if purpose == Purpose.HANDSHAKE and (provider is None or "GET" not in provider.methods):
        raise Unprocessable(FieldProblem("purpose", "this system has no handshake"))
    if provider is None or purpose == Purpose.HANDSHAKE:
        if theirs is not None:
            raise Unprocessable(FieldProblem("secret", "must be omitted: WedSync creates this secret"))
        return False
    if theirs is None:
        raise Unprocessable(FieldProblem("secret", f"is required: {provider.label} issues it"))
    try:
        provider.check_secret(theirs)
    except ValueError as error:
        raise Unprocessable(FieldProblem("secret", str(error))) from error
    return True
