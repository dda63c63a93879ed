"""Read-only admin of the log: events, channels and their entries."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from wedsync.live.event_types.catalogue import CATALOGUE
from wedsync.live.models import Channel, ChannelEntry, ChannelEvent
from wedsync.weddings.tenant_admin.looks import (
    BAD,
    BUSY,
    GOOD,
    PRIORITY_COLOURS,
    WARNING,
    coloured,
    column,
    link,
    moment,
    preformatted,
)
from wedsync.weddings.tenant_admin.pages import ReadOnlyAdmin, ReadOnlyInline

CUSTOM = "custom."
ROUTING_COLOURS = {"routed": GOOD, "pending": BUSY, "unlinked": BAD, "held": WARNING}


class EventTypeFilter(admin.SimpleListFilter):
    """Filters by the catalogue's types, so that the table need not be read for them."""

    title = "type"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [*((name, name) for name in sorted(CATALOGUE)), (CUSTOM, "custom")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == CUSTOM:
            return queryset.filter(type__startswith=CUSTOM)
        return queryset.filter(type=self.value()) if self.value() else queryset


class EntryInline(ReadOnlyInline):
    model = ChannelEntry
    tenant_path = "channel__organization"
    verbose_name_plural = "seen on"
    fields = ("channel", "sequence")
    ordering = ("channel__name",)
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("channel", "event")


class ChannelEventAdmin(ReadOnlyAdmin):
    """Registered by integrations/admin/events.py, which can link; its deliveries come from deliveries.py there."""

    tenant_path = "organization"
    list_display = ("type", "urgency", "wedding", "routing_state", "effect", "source", "received")
    list_select_related = ("wedding", "organization")
    list_filter = (EventTypeFilter, "priority", "routing", "effect", "source", "received_at")
    linked_by = ("wedding", "correlation_id")
    search_fields = ("=id", "type", "wedding__couple")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": (("type", "urgency"), "wedding", ("occurred_at", "received_at"), "trace")}),
        ("Content", {"fields": ("payload_text",)}),
        ("Result", {"fields": (("routing_state", "routed_at"), "effect")}),
        (
            "Origin",
            {"fields": (("source", "author"), "source_system_id", ("correlation_id", "hops"), "id")},
        ),
    )
    inlines: ClassVar[tuple[type[ReadOnlyInline], ...]] = (EntryInline,)
    received = moment("Received", "received_at")
    urgency = coloured("Priority", "priority", PRIORITY_COLOURS)
    routing_state = coloured("Routing", "routing", ROUTING_COLOURS)

    @column("Payload")
    def payload_text(self, event: ChannelEvent) -> SafeString:
        return preformatted(json.dumps(event.payload, indent=2, ensure_ascii=False))

    @column("Trace")
    def trace(self, event: ChannelEvent) -> SafeString:
        return link(reverse("event-trace", args=[event.pk]), "From receipt to delivery")


@admin.register(Channel)
class ChannelAdmin(ReadOnlyAdmin):
    tenant_path = "organization"
    list_display = ("name", "last_sequence", "entries_link")
    list_select_related = ("organization",)
    search_fields = ("name",)
    ordering = ("name", "id")
    fields = ("name", "last_sequence", "epoch", "entries_link")

    @column("Entries")
    def entries_link(self, channel: Channel) -> SafeString:
        return link(f"{reverse('admin:live_channelentry_changelist')}?channel__id__exact={channel.pk}", "Show")


@admin.register(ChannelEntry)
class ChannelEntryAdmin(ReadOnlyAdmin):
    tenant_path = "channel__organization"
    list_display = ("channel", "sequence", "event")
    list_select_related = ("channel", "event")
    linked_by = ("channel", "event")
    search_fields = ("channel__name", "=event__id")
    ordering = ("-id",)
