"""``/api/integrations/channel-config/``: the routes that say where events go."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.models import Route
from wedsync.api.base_views.owned import Changing, Creating, OwnedViews
from wedsync.api.integrations import dry_run
from wedsync.api.integrations.route_shapes import RouteShape
from wedsync.api.requests.filtering import Filters, SearchFilter
from wedsync.weddings.models import ApiScope


class RouteFilters(Filters):
    """Filters of routes."""

    search_in = ("name", "channel_pattern", "system__name")
    active = django_filters.BooleanFilter()
    target = django_filters.MultipleChoiceFilter(choices=Route.Target.choices)
    system = django_filters.UUIDFilter()
    contact = django_filters.UUIDFilter()
    channel_pattern = django_filters.CharFilter(max_length=194)
    event_type = django_filters.CharFilter(method="of_type", max_length=64)
    q = SearchFilter()

    def of_type(self, rows: QuerySet[Route], name: str, value: str) -> QuerySet[Route]:
        """Routes that name the type."""
        return rows.filter(event_types__contains=[value])


EXAMPLE = OpenApiExample(
    "capacity to the caterer",
    {
        "name": "Capacity to the caterer",
        "channel_pattern": "supplier:dashboard:{supplierId}",
        "event_types": ["venue.capacity_updated"],
        "target": "people",
        "roles": ["caterer"],
        "channels": ["whatsapp"],
        "conditions": [{"path": "capacity", "operator": "less", "value": 100, "effect": "raise_priority"}],
    },
    request_only=True,
)


TRIED = OpenApiExample(
    "a pasted event",
    {"event": {"type": "venue.capacity_updated", "payload": {"capacity": 90}, "channels": ["supplier:dashboard:x"]}},
    request_only=True,
)


class RouteViews(
    Creating,
    Changing,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    OwnedViews[Route],
):
    """Routes of the caller's organization. Deliveries keep the name of a deleted route."""

    queryset = Route.objects.prefetch_related("conditions")
    serializer_class = RouteShape
    filterset_class = RouteFilters
    read_scope, write_scope = ApiScope.CONFIG_READ, ApiScope.CONFIG_WRITE

    @extend_schema(examples=[EXAMPLE])
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Create a route. It applies to every event that is routed from now on."""
        return super().create(request, *args, **kwargs)

    def scope_for(self, method: str) -> ApiScope:
        """A dry run changes nothing."""
        return ApiScope.CONFIG_READ if self.action == "dry_run" else super().scope_for(method)

    @extend_schema(request=dry_run.DryRunRequest, responses={200: dry_run.DryRunResult}, examples=[TRIED])
    @action(detail=False, methods=["post"], url_path="dry-run")
    def dry_run(self, request: Request) -> Response:
        """Show what would happen to an event, stored or pasted. Nothing is sent or stored."""
        return Response(dry_run.run(request))
