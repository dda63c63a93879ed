"""``/api/incidents/``: emergencies at weddings, and drills: raise, acknowledge and resolve them."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.incidents import acknowledging, staff_actions
from notifications.models import Incident
from wedsync.api.base_views.owned import OwnedViews, PlainText, Reference
from wedsync.api.keys.authentication import client_of
from wedsync.api.keys.limits import Share
from wedsync.api.problems import Conflict
from wedsync.api.requests.bodies import Body
from wedsync.api.requests.filtering import Filters, SearchFilter
from wedsync.weddings.models import ApiScope, Wedding

LONGEST = 10_000


class IncidentShape(serializers.ModelSerializer[Incident]):
    """An emergency or a drill. `step`: how far its plan has come; `ended_at`: when the plan ended unanswered."""

    reports = serializers.SerializerMethodField()

    class Meta:
        model = Incident
        fields = (
            "id", "wedding", "event", "kind", "description", "drill", "state", "opened_at", "opened_by", "step",
            "next_step_at", "ended_at", "acknowledged_at", "acknowledged_by", "acknowledged_via", "resolved_at",
            "resolved_by", "reports",
        )  # fmt: skip
        read_only_fields = fields

    def get_reports(self, incident: Incident) -> list[str]:
        """The ids of the events that reported it."""
        return [str(report.event_id) for report in incident.reports.all()]


class RaisingShape(Body):
    """A new report. `drill`: a drill, which reaches staff only."""

    wedding = Reference(Wedding)
    kind = PlainText(max_length=200)
    description = PlainText(max_length=LONGEST)
    contact_phone = PlainText(max_length=200, required=False, default="")
    drill = serializers.BooleanField(required=False, default=False)


class RaisedShape(serializers.Serializer[Any]):
    """The event that reports it; the incident exists once the event is routed."""

    event = serializers.UUIDField()


class IncidentFilters(Filters):
    """Filters of incidents."""

    search_in = ("kind", "description", "wedding__couple")
    wedding = django_filters.UUIDFilter()
    event = django_filters.UUIDFilter()
    state = django_filters.MultipleChoiceFilter(choices=Incident.State.choices)
    drill = django_filters.BooleanFilter()
    q = SearchFilter()


class IncidentViews(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnedViews[Incident]):
    """Incidents of the caller's organization."""

    queryset = Incident.objects.prefetch_related("reports")
    serializer_class = IncidentShape
    filterset_class = IncidentFilters
    bodiless = frozenset({"acknowledge", "resolve"})
    read_scope, write_scope = ApiScope.EVENTS_READ, ApiScope.EVENTS_WRITE

    def share_for(self, request: Request) -> Share:
        """Requests about an emergency have a share of their own."""
        return Share.CALLS if self.action in {"list", "retrieve"} else Share.EMERGENCIES

    @extend_schema(request=RaisingShape, responses={201: RaisedShape})
    @transaction.atomic
    def create(self, request: Request) -> Response:
        """Report an emergency, or start a drill. An emergency goes to everyone that the routes name."""
        asked = RaisingShape(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        try:
            event = staff_actions.raise_emergency(
                said["wedding"],
                said["kind"],
                said["description"],
                by=self._caller(request),
                drill=said["drill"],
                contact_phone=said["contact_phone"],
            )
        except staff_actions.AlreadyOpen as error:
            raise Conflict(str(error)) from error
        return Response({"event": str(event.id)}, status=201)

    @extend_schema(request=None, responses=IncidentShape)
    @action(detail=True, methods=["post"])
    @transaction.atomic
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Acknowledge an incident: all further steps stop. Repeating it changes nothing."""
        incident = self.get_object()
        acknowledging.acknowledge_incident(incident, by=self._caller(request), via="the API")
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=None, responses=IncidentShape)
    @action(detail=True, methods=["post"])
    @transaction.atomic
    def resolve(self, request: Request, pk: str) -> Response:
        """Resolve an incident: everyone who was alerted gets the all-clear, once."""
        staff_actions.resolve(self.get_object(), by=self._caller(request))
        return Response(self.get_serializer(self.get_object()).data)

    @staticmethod
    def _caller(request: Request) -> str:
        return client_of(request).author
