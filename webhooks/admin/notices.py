"""Admin of providers' notices, read-only: what WhatsApp, Resend and Slack reported, each with its receipt."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from webhooks.models import ProviderNotice
from wedsync.weddings.tenant_admin.looks import BUSY, GOOD, WARNING, coloured, column, link, moment, preformatted
from wedsync.weddings.tenant_admin.pages import ReadOnlyAdmin

KIND_COLOURS = {"status": BUSY, "message": GOOD, "interaction": WARNING}


@admin.register(ProviderNotice)
class NoticeAdmin(ReadOnlyAdmin):
    tenant_path = "organization"
    list_display = ("name", "what", "provider_id", "connection", "occurred", "received")
    list_select_related = ("connection__system", "organization")
    list_filter = ("kind", "connection__system__kind", "connection", "occurred_at")
    search_fields = ("=id", "=provider_id", "=name", "=receipt__id")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": (("name", "what"), "provider_id", ("occurred", "received"), ("taken", "taken_error"))}),
        ("Where it came from", {"fields": ("connection", "receipt_link")}),
        ("As the provider sent it", {"fields": ("data_text", "id")}),
    )
    what = coloured("Kind", "kind", KIND_COLOURS)
    occurred = moment("Occurred", "occurred_at")
    received = moment("Received", "received_at")
    taken = moment("Took effect", "taken_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the providers' objects, which may be large; a page loads its own."""
        return super().get_queryset(request).defer("data")

    @column("Receipt")
    def receipt_link(self, notice: ProviderNotice) -> SafeString:
        return link(reverse("admin:webhooks_receipt_change", args=[notice.receipt_id]), "The request as received")

    @column("Data")
    def data_text(self, notice: ProviderNotice) -> SafeString:
        return preformatted(json.dumps(notice.data, indent=2, ensure_ascii=False))
