"""``/api/notifications/``: who was to be told of an event, whether they were, and if not, why."""

from __future__ import annotations

from typing import Any

import django_filters
from django_filters.fields import MultipleChoiceField
from drf_spectacular.utils import extend_schema_field
from rest_framework import mixins, serializers

from notifications.models import Notification
from notifications.trace import answers
from wedsync.api.base_views.owned import OwnedViews
from wedsync.api.requests.filtering import Filters, SearchFilter
from wedsync.live.event_types.catalogue import CATALOGUE, is_custom
from wedsync.queues import Priority
from wedsync.weddings.models import ApiScope


class EventTypes(MultipleChoiceField):  # type: ignore[misc]
    """Types of the catalogue, and clients' own."""

    def valid_value(self, value: Any) -> bool:
        """See Django."""
        return is_custom(str(value)) or bool(super().valid_value(value))


class EventTypesFilter(django_filters.MultipleChoiceFilter):  # type: ignore[misc]
    """Filters by one or several types."""

    field_class = EventTypes


class AnswerShape(serializers.Serializer[Any]):
    """Did they get it? `got`: how far the most successful message came."""

    got = serializers.ChoiceField(choices=[each.value for each in answers.Got])
    text = serializers.CharField(help_text="A sentence.")
    channel = serializers.CharField(help_text="`whatsapp`, `slack`, `email`, or empty.")
    at = serializers.DateTimeField(allow_null=True)


class LineShape(serializers.Serializer[Any]):
    """One decision, attempt or status."""

    at = serializers.DateTimeField()
    what = serializers.CharField()
    channel = serializers.CharField()
    text = serializers.CharField()
    delivery = serializers.UUIDField(allow_null=True)


class NotificationShape(serializers.ModelSerializer[Notification]):
    """One event for one recipient: a contact, a team's Slack channel, or a member of staff."""

    event_type = serializers.CharField(source="event.type")
    wedding = serializers.UUIDField(source="event.wedding_id", allow_null=True)
    answer = serializers.SerializerMethodField()

    class Meta:
        model = Notification
        fields = (
            "id", "event", "event_type", "wedding", "contact", "recipient", "name", "priority", "state", "step",
            "created_at", "answer",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(AnswerShape)
    def get_answer(self, notification: Notification) -> dict[str, Any]:
        """Whether they got it."""
        return dict(AnswerShape(answers.answer(notification)).data)


class WholeNotificationShape(NotificationShape):
    """A notification with everything that led to its result, oldest first."""

    trace = serializers.SerializerMethodField()

    class Meta:
        model = Notification
        fields = (*NotificationShape.Meta.fields, "trace")
        read_only_fields = fields

    @extend_schema_field(LineShape(many=True))
    def get_trace(self, notification: Notification) -> list[dict[str, Any]]:
        """Decisions, attempts, statuses."""
        return [dict(LineShape(line).data) for line in answers.timeline(notification)]


class NotificationFilters(Filters):
    """Filters of notifications."""

    search_in = ("name", "recipient", "event__wedding__couple")
    event = django_filters.UUIDFilter()
    event_type = EventTypesFilter(field_name="event__type", choices=[(name, name) for name in CATALOGUE])
    wedding = django_filters.UUIDFilter(field_name="event__wedding")
    contact = django_filters.UUIDFilter()
    state = django_filters.MultipleChoiceFilter(choices=Notification.State.choices)
    priority = django_filters.MultipleChoiceFilter(choices=Priority.choices)
    created_after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")
    q = SearchFilter()


class NotificationViews(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnedViews[Notification]):
    """Notifications of the caller's organization."""

    queryset = answers.with_what_came(Notification.objects.select_related("event").defer("event__payload"))
    serializer_class = NotificationShape
    filterset_class = NotificationFilters
    read_scope = write_scope = ApiScope.DELIVERIES_READ

    def get_serializer_class(self) -> type[NotificationShape]:
        """A single notification is shown in full."""
        return NotificationShape if self.action == "list" else WholeNotificationShape
