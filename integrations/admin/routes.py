"""Admin of routes."""

from __future__ import annotations

from django.contrib import admin

from integrations.admin.forms import RouteForm
from integrations.models import Route
from wedsync.weddings.admin_looks import BUSY, GOOD, coloured, column
from wedsync.weddings.tenancy import BY_SUPPORT
from wedsync.weddings.tenant_admin import TenantAdmin


@admin.register(Route)
class RouteAdmin(TenantAdmin):
    tenant_path = "organization"
    editors = BY_SUPPORT
    form = RouteForm
    fieldsets = (
        (None, {"fields": (("name", "active"),)}),
        ("When", {"fields": ("channel_pattern", "event_types")}),
        ("To whom", {"fields": ("target", "system", "roles", "contact", "channels", "live_channel", "echo")}),
    )
    conditional_fields = {
        "system": "target != 'live'",
        "roles": "target == 'people'",
        "contact": "target == 'people'",
        "channels": "target == 'people'",
        "live_channel": "target == 'live'",
        "echo": "target == 'system'",
    }
    list_display = ("name", "active", "channel_pattern", "goes_to", "whom", "types")
    list_select_related = ("system", "contact", "organization")
    list_filter = ("active", "target", "system")
    search_fields = ("name", "channel_pattern", "system__name")
    autocomplete_fields = ("contact",)
    ordering = ("name", "id")
    goes_to = coloured("Target", "target", {"system": BUSY, "people": GOOD})

    @column("Goes to")
    def whom(self, route: Route) -> str:
        people = [*route.roles, *([route.contact.name] if route.contact else [])]
        named = [str(route.system)] if route.system else []
        return ", ".join(named + people) or route.live_channel

    @column("Event types")
    def types(self, route: Route) -> str:
        return ", ".join(route.event_types) or "all"
