"""``/api/integrations/events/``: what happened, where it appears, and what effect it had."""

from __future__ import annotations

import django_filters
from django.db.models import Prefetch, QuerySet
from rest_framework import mixins, serializers

from wedsync.api.base_views.owned import OwnedViews
from wedsync.api.requests.filtering import Filters
from wedsync.live.models import ChannelEntry, ChannelEvent
from wedsync.queues import Priority
from wedsync.weddings.models import ApiScope


class EventShape(serializers.ModelSerializer[ChannelEvent]):
    """An event. `routing` says how far it was routed, `effect` what it changed in its wedding."""

    source_system = serializers.UUIDField(source="source_system_id", allow_null=True)

    class Meta:
        model = ChannelEvent
        fields = (
            "id", "type", "priority", "wedding", "source", "source_system", "routing", "effect", "correlation_id",
            "occurred_at", "received_at",
        )  # fmt: skip
        read_only_fields = fields


class PlaceShape(serializers.ModelSerializer[ChannelEntry]):
    """A channel on which the event appears, and its sequence there."""

    channel = serializers.CharField(source="channel.name")

    class Meta:
        model = ChannelEntry
        fields = ("channel", "sequence")
        read_only_fields = fields


class WholeEventShape(EventShape):
    """An event with its payload and its channels."""

    payload = serializers.JSONField()
    channels = PlaceShape(source="entries", many=True)

    class Meta:
        model = ChannelEvent
        fields = (*EventShape.Meta.fields, "hops", "payload", "channels")
        read_only_fields = fields


class EventFilters(Filters):
    """Filters of events."""

    type = django_filters.CharFilter(max_length=64)
    wedding = django_filters.UUIDFilter()
    correlation = django_filters.UUIDFilter(field_name="correlation_id")
    source = django_filters.ChoiceFilter(choices=ChannelEvent.Source.choices)
    source_system = django_filters.UUIDFilter(field_name="source_system_id")
    priority = django_filters.MultipleChoiceFilter(choices=Priority.choices)
    routing = django_filters.MultipleChoiceFilter(choices=ChannelEvent.Routing.choices)
    effect = django_filters.MultipleChoiceFilter(choices=ChannelEvent.Effect.choices)
    received_after = django_filters.IsoDateTimeFilter(field_name="received_at", lookup_expr="gte")
    received_before = django_filters.IsoDateTimeFilter(field_name="received_at", lookup_expr="lt")


class EventViews(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnedViews[ChannelEvent]):
    """Events of the caller's organization."""

    queryset = ChannelEvent.objects.all()
    serializer_class = EventShape
    filterset_class = EventFilters
    read_scope = write_scope = ApiScope.EVENTS_READ

    def get_serializer_class(self) -> type[EventShape]:
        """A single event is shown in full."""
        return WholeEventShape if self.action == "retrieve" else EventShape

    def get_queryset(self) -> QuerySet[ChannelEvent]:
        """A single event comes with its channels."""
        rows = super().get_queryset()
        if self.action != "retrieve":
            return rows.defer("payload")
        entries = ChannelEntry.objects.select_related("channel").order_by("channel__name")
        return rows.prefetch_related(Prefetch("entries", entries))
