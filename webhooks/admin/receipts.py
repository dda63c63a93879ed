"""Admin of receipts, read-only."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from webhooks.models import Receipt
from wedsync.weddings.admin_looks import BAD, GOOD, WARNING, coloured, column, link, moment, preformatted, pretty
from wedsync.weddings.tenant_admin import ReadOnlyAdmin

VERDICT_COLOURS = {"accepted": GOOD, "unrecognised": WARNING, "reused_id": WARNING, "rejected": BAD}


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    tenant_path = "organization"
    list_display = ("event_type", "answered", "external_id", "connection", "remote_address", "received")
    list_select_related = ("connection__system", "organization")
    list_filter = ("verdict", "connection", "received_at")
    search_fields = ("=id", "=external_id", "event_type", "=event_id", "connection__system__name")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": (("event_type", "external_id"), ("answered", "reason"), "connection", "event_link")}),
        ("As received", {"fields": ("body_text", "headers_text", ("remote_address", "received_at"), "id")}),
    )
    received = moment("Received", "received_at")
    answered = coloured("Verdict", "verdict", VERDICT_COLOURS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Lists do without the bodies, which may be large."""
        return super().get_queryset(request).defer("body")

    @column("Body")
    def body_text(self, receipt: Receipt) -> SafeString:
        return pretty(bytes(receipt.body).decode("utf-8", errors="replace"))

    @column("Headers")
    def headers_text(self, receipt: Receipt) -> SafeString:
        return preformatted(json.dumps(receipt.headers, indent=2, ensure_ascii=False))

    @column("Event")
    def event_link(self, receipt: Receipt) -> SafeString | str:
        if receipt.event_id is None:
            return "none"
        return link(reverse("event-trace", args=[receipt.event_id]), "Its way through")
