"""Read-only admin of messages, and the messages on a delivery's page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from integrations.admin.deliveries import DeliveryAdmin, WayFilter
from notifications.models import Message
from wedsync.weddings.tenant_admin.looks import BAD, BUSY, GOOD, coloured, column, moment, preformatted
from wedsync.weddings.tenant_admin.pages import ReadOnlyAdmin, ReadOnlyInline

STATUS_COLOURS = {"sent": BUSY, "failed": BAD, "delivered": GOOD, "read": GOOD}


class MessageInline(ReadOnlyInline):
    model = Message
    tenant_path = "organization"
    fields = ("subject", "text_preview", "told", "provider_id")
    readonly_fields = ("text_preview", "told")
    told = coloured("Status", "status", STATUS_COLOURS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("delivery", "organization")

    @column("Text")
    def text_preview(self, message: Message) -> SafeString:
        return preformatted(message.text)


DeliveryAdmin.inlines = (*DeliveryAdmin.inlines, MessageInline)


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    tenant_path = "organization"
    list_display = ("subject", "channel", "address", "told", "made")
    list_select_related = ("organization",)
    list_filter = (WayFilter, "status", "created_at")
    linked_by = ("delivery",)
    search_fields = ("=id", "subject", "address", "=provider_id")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("subject", ("channel", "address"), ("told", "provider_id"), "delivery", "created_at")}),
        ("What it says", {"fields": ("text_preview", "html_source")}),
    )
    told = coloured("Status", "status", STATUS_COLOURS)
    made = moment("Made", "created_at")

    @column("Text")
    def text_preview(self, message: Message) -> SafeString:
        return preformatted(message.text)

    @column("HTML, as source")
    def html_source(self, message: Message) -> SafeString | str:
        return preformatted(message.html) if message.html else "none"
