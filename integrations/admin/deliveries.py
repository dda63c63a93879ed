"""Admin of deliveries and their attempts, read-only, and their place on an event's page."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from integrations.admin.delivery_buttons import DELIVERY_ACTIONS, DELIVERY_BUTTONS, DeliveryButtons
from integrations.deliveries import frozen_requests
from integrations.models import Attempt, Delivery, DeliveryReason
from integrations.registry.senders import CHANNEL_CHOICES
from wedsync.live.admin import ChannelEventAdmin, EventTypeFilter
from wedsync.weddings.tenant_admin.looks import (
    BAD,
    BUSY,
    GOOD,
    PRIORITY_COLOURS,
    WARNING,
    coloured,
    column,
    moment,
    preformatted,
    pretty,
)
from wedsync.weddings.tenant_admin.pages import ReadOnlyAdmin, ReadOnlyInline

STATE_COLOURS = {"succeeded": GOOD, "in_flight": BUSY, "scheduled": WARNING, "held": WARNING, "dead": BAD}
OUTCOME_COLOURS = {"succeeded": GOOD, "failed": BAD, "unknown": WARNING}


class WayFilter(admin.SimpleListFilter):
    """By channel."""

    title = "channel"
    parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> tuple[tuple[str, str], ...]:
        return CHANNEL_CHOICES

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(channel=self.value()) if self.value() else queryset


class DeliveryTypeFilter(EventTypeFilter):
    """By the event's type."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(event__type=self.value()) if self.value() else queryset


class ReasonInline(ReadOnlyInline):
    model = DeliveryReason
    tenant_path = "delivery__organization"
    verbose_name_plural = "routes that requested it"
    fields = ("route_name", "route")
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("route", "delivery")


class AttemptInline(ReadOnlyInline):
    model = Attempt
    tenant_path = "delivery__organization"
    fields = ("number", "started", "milliseconds", "came_out", "status_code", "error", "response_excerpt")
    readonly_fields = ("came_out", "started")
    ordering = ("number",)
    show_change_link = False
    came_out = coloured("Outcome", "outcome", OUTCOME_COLOURS)
    started = moment("Started", "started_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("delivery")


@admin.register(Delivery)
class DeliveryAdmin(DeliveryButtons):
    """``notifications/admin/messages.py`` adds a delivery's message."""

    tenant_path = "organization"
    list_display = ("event_type", "to", "channel", "shown_state", "why", "urgency", "tries", "made")
    list_select_related = ("event__wedding", "system", "contact", "organization")
    list_filter = ("state", "state_reason", WayFilter, "priority", DeliveryTypeFilter, "system", "created_at")
    linked_by = ("event", "contact")
    search_fields = ("=id", "=event__id", "target", "state_reason", "system__name", "contact__name")
    ordering = ("-id",)
    actions_detail = DELIVERY_BUTTONS
    actions = DELIVERY_ACTIONS
    fieldsets = (
        (None, {"fields": ("event", ("system", "contact"), ("channel", "target"), ("shown_state", "state_reason"))}),
        ("When", {"fields": (("created_at", "finished_at"), ("next_attempt_at", "expires_at"), "due_since")}),
        (
            "How",
            {
                "fields": (
                    ("urgency", "may_duplicate"),
                    ("generation", "plan_step"),
                    ("attempt_count", "order_key"),
                    "id",
                )
            },
        ),
        ("The request, the same bytes for each attempt", {"fields": ("request_text",)}),
    )
    inlines: ClassVar[tuple[type[ReadOnlyInline], ...]] = (ReasonInline, AttemptInline)
    shown_state = coloured("State", "state", STATE_COLOURS)
    urgency = coloured("Priority", "priority", PRIORITY_COLOURS)

    made = moment("Made", "created_at")

    @column("Why", ordering="state_reason")
    def why(self, delivery: Delivery) -> str:
        return delivery.state_reason.replace("_", " ")

    @column("Tries", ordering="attempt_count")
    def tries(self, delivery: Delivery) -> int:
        return delivery.attempt_count

    @column("Event", ordering="event__type")
    def event_type(self, delivery: Delivery) -> str:
        wedding = f" · {delivery.event.wedding.couple}" if delivery.event.wedding else ""
        return f"{delivery.event.type}{wedding}"

    @column("To", ordering="target")
    def to(self, delivery: Delivery) -> str:
        return str(delivery.recipient)

    @column("Request")
    def request_text(self, delivery: Delivery) -> SafeString | str:
        request = frozen_requests.shown(delivery)
        if not request:
            return "not rendered yet"
        head = [f"{request.get('method', '')} {request.get('path', '')}".strip()]
        head += [f"{name}: {value}" for name, value in (request.get("headers") or {}).items()]
        body = str(request.get("body", ""))
        return preformatted("\n".join(head)) + pretty(body)


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    tenant_path = "delivery__organization"
    list_display = ("delivery", "number", "started", "milliseconds", "came_out", "status_code", "error_class")
    list_select_related = ("delivery",)
    list_filter = ("outcome", "status_code", "started_at")
    linked_by = ("delivery",)
    search_fields = ("=delivery__id", "error_class", "error")
    ordering = ("-id",)
    came_out = coloured("Outcome", "outcome", OUTCOME_COLOURS)
    started = moment("Started", "started_at")


class EventDeliveryInline(ReadOnlyInline):
    model = Delivery
    tenant_path = "organization"
    fields = ("to", "channel", "shown_state", "state_reason", "attempt_count", "finished")
    readonly_fields = ("to", "shown_state", "finished")
    finished = moment("Finished", "finished_at")
    ordering = ("id",)
    shown_state = coloured("State", "state", STATE_COLOURS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("system", "contact", "organization")

    @column("To")
    def to(self, delivery: Delivery) -> str:
        return str(delivery.recipient)


ChannelEventAdmin.inlines = (*ChannelEventAdmin.inlines, EventDeliveryInline)
