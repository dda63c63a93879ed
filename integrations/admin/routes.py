"""Admin of routes, and the dry run's page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from integrations.admin.route_forms import ConditionForm, DryRunForm, RouteForm
from integrations.models import Route, RouteCondition
from integrations.routing import dry_run
from wedsync.weddings.tenant_admin.access import BY_SUPPORT, access
from wedsync.weddings.tenant_admin.looks import BUSY, GOOD, button, coloured, column
from wedsync.weddings.tenant_admin.pages import TenantAdmin, TenantInline


class ConditionInline(TenantInline):
    model = RouteCondition
    tenant_path = "route__organization"
    editors = BY_SUPPORT
    form = ConditionForm
    fields = ("path", "operator", "value", "effect")
    verbose_name_plural = "conditions"
    show_change_link = False


@admin.register(Route)
class RouteAdmin(TenantAdmin):
    tenant_path = "organization"
    editors = BY_SUPPORT
    form = RouteForm
    fieldsets = (
        (None, {"fields": (("name", "active"),)}),
        ("When", {"fields": ("channel_pattern", "event_types", "type_patterns", "active_from", "active_until")}),
        (
            "To",
            {"fields": ("target", "system", "roles", "everyone", "contact", "channels", "live_channel", "echo")},
        ),
        ("How", {"fields": ("priority", "mapping", "template")}),
    )
    conditional_fields = {
        "system": "target != 'live'",
        "roles": "target == 'people'",
        "everyone": "target == 'people'",
        "contact": "target == 'people'",
        "channels": "target == 'people'",
        "live_channel": "target == 'live'",
        "echo": "target == 'system'",
        "priority": "target != 'live'",
        "mapping": "target != 'live'",
        "template": "target != 'live'",
    }
    inlines = (ConditionInline,)
    list_display = ("name", "active", "channel_pattern", "goes_to", "whom", "types", "condition_count")
    list_select_related = ("system", "contact", "organization")
    list_filter = ("active", "target", "system")
    search_fields = ("name", "channel_pattern", "system__name")
    autocomplete_fields = ("contact",)
    ordering = ("name", "id")
    actions_list = ("dry_run",)
    goes_to = coloured("Target", "target", {"system": BUSY, "people": GOOD})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(counted_conditions=Count("conditions"))
        return counted

    @column("Goes to")
    def whom(self, route: Route) -> str:
        people = [*(["everyone"] if route.everyone else route.roles), *([route.contact.name] if route.contact else [])]
        named = [str(route.system)] if route.system else []
        return ", ".join(named + people) or route.live_channel

    @column("Event types")
    def types(self, route: Route) -> str:
        return ", ".join(route.event_types) or "all"

    @column("Conditions", ordering="counted_conditions")
    def condition_count(self, route: Any) -> int:
        return int(route.counted_conditions)

    @button("Dry run", "dry-run")
    def dry_run(self, request: HttpRequest) -> HttpResponse:
        """Show what would happen to an event, stored or pasted, and why. Writes and sends nothing."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.POST if request.method == "POST" else (request.GET if "event" in request.GET else None)
        form = DryRunForm(access(request), asked)
        found = None
        if asked is not None and form.is_valid():
            event, names = form.cleaned_data["subject"]
            found = dry_run.explain(event, names)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Dry run",
            "form": form,
            "found": found,
            "back": reverse("admin:integrations_route_changelist"),
        }
        return TemplateResponse(request, "admin/dry_run.html", context)
