"""Admin of the templates that Meta has approved for an organization."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from notifications.models import WhatsAppTemplate
from wedsync.weddings.tenant_admin.access import BY_PLANNERS
from wedsync.weddings.tenant_admin.looks import BAD, BUSY, GOOD, WARNING, coloured
from wedsync.weddings.tenant_admin.pages import TenantAdmin

STATUS_COLOURS = {"approved": GOOD, "pending": BUSY, "rejected": BAD, "paused": WARNING}
_OF_META = ("name", "language", "purpose", "body", "parameters", "buttons")


@admin.register(WhatsAppTemplate)
class WhatsAppTemplateAdmin(TenantAdmin):
    """What Meta has approved is not edited here: only the status of a saved row can change."""

    tenant_path = "organization"
    editors = BY_PLANNERS
    list_display = ("name", "language", "purpose", "at_meta")
    list_select_related = ("organization",)
    list_filter = ("purpose", "language", "status")
    search_fields = ("name", "body")
    ordering = ("name", "language", "id")
    fieldsets = (
        (None, {"fields": (("name", "language"), ("purpose", "status"))}),
        ("As at Meta", {"fields": ("body", "parameters", "buttons")}),
    )
    at_meta = coloured("Status", "status", STATUS_COLOURS)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = super().get_readonly_fields(request, obj)
        return [*fixed, *(_OF_META if obj is not None else ())]
