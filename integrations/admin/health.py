"""Admin of alerts, read-only except for resolving one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from integrations.admin.buttons import PastButtonAdmin, asked
from integrations.health import alerts
from integrations.models import Alert
from wedsync.weddings.tenant_admin.looks import column, moment


class OpenFilter(admin.SimpleListFilter):
    """Open or resolved alerts."""

    title = "state"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("open", "Open"), ("resolved", "Resolved")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "open":
            return queryset.filter(resolved_at=None)
        return queryset.exclude(resolved_at=None) if self.value() == "resolved" else queryset


@admin.register(Alert)
class AlertAdmin(PastButtonAdmin):
    tenant_path = "organization"
    list_display = ("cause", "system", "text", "shown_state", "first", "last", "count")
    list_select_related = ("system", "organization")
    list_filter = ("cause", OpenFilter, "system", "first_at")
    search_fields = ("=id", "text", "system__name")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": (("cause", "system"), "text", "shown_state")}),
        ("When", {"fields": (("first", "last", "resolved"),)}),
        ("How often", {"fields": (("count", "tellings", "told"),)}),
    )
    actions_detail = ("resolve",)
    first = moment("First found", "first_at")
    last = moment("Last found", "last_at")
    told = moment("Staff told", "told_at")
    resolved = moment("Resolved", "resolved_at")

    @column("State", ordering="resolved_at")
    def shown_state(self, alert: Alert) -> str:
        return "resolved" if alert.resolved_at else "open"

    def is_offered(self, row: Alert, path: str) -> bool:
        """A resolved alert stays resolved."""
        return row.resolved_at is None

    @asked("Resolve", "resolve", "Resolve the alert? If the cause persists, the next health sweep opens another.")
    def resolve(self, request: HttpRequest, alert: Alert) -> str:
        return "Resolved." if alerts.resolve(alert) else "It was already resolved."
