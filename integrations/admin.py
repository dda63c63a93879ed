"""Admin of systems, connections, references and routes. Deliveries: integrations/admin_deliveries.py."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from integrations import admin_deliveries, admin_weddings, deliveries, standing
from integrations.admin_forms import CREDENTIAL_FIELDS, CREDENTIALS, RouteForm, SystemForm, shown_for
from integrations.models import Connection, ConnectionSecret, ExternalReference, Route, System
from wedsync import vault
from wedsync.env import ConfigurationError
from wedsync.weddings.admin_looks import BAD, BUSY, GOOD, WARNING, button, coloured, column, confirm, show_once
from wedsync.weddings.tenancy import BY_SUPPORT
from wedsync.weddings.tenant_admin import TenantAdmin, TenantInline

__all__ = ["admin_deliveries", "admin_weddings"]  # imported for their registrations

STANDING_COLOURS = {"active": GOOD, "paused": WARNING, "disabled": BAD}


class StandingAdmin(TenantAdmin):
    """Pages of what can be stopped: buttons that ask first, since following a link must change nothing."""

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """No buttons for those who may only look."""
        row = self.get_object(request, unquote(str(object_id)))
        if row is None or not self.has_change_permission(request, row):
            return []
        found: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return found

    def row_to_change(self, request: HttpRequest, object_id: str) -> Any:
        """The row behind a button.

        Raises:
            Http404: it is not there for this user.
        """
        row = self.get_object(request, unquote(object_id))
        if row is None or not self.has_change_permission(request, row):
            raise Http404
        return row

    def done(self, request: HttpRequest, row: Any, message: str) -> HttpResponse:
        """Note it in the row's history, say so, and go back to its page."""
        self.log_change(request, row, message)
        messages.success(request, message)
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(name, args=[quote(row.pk)]))


@admin.register(System)
class SystemAdmin(StandingAdmin):
    tenant_path = "organization"
    editors = BY_SUPPORT
    form = SystemForm
    fieldsets = (
        (None, {"fields": (("name", "kind"), "base_url")}),
        ("Credentials, stored encrypted and never shown", {"fields": CREDENTIAL_FIELDS}),
    )
    conditional_fields = {credential.field: shown_for(credential) for credential in CREDENTIALS}
    list_display = ("name", "kind", "standing", "state_reason", "base_url")
    list_select_related = ("organization",)
    list_filter = ("kind", "state")
    search_fields = ("name", "base_url")
    ordering = ("name", "id")
    actions_detail = ("resume", "pause", "disable")
    standing = coloured("State", "state", STANDING_COLOURS)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only look: no credentials at all. An existing system: with its state."""
        shown = list(super().get_fieldsets(request, obj))
        if obj is not None:
            shown.append(("State", {"fields": (("standing", "state_reason"),)}))
        looks_only = obj is not None and not self.has_change_permission(request, obj)
        return [part for part in shown if part[1]["fields"] != CREDENTIAL_FIELDS or not looks_only]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The state changes by the buttons, which also see to what was held."""
        fixed = ["standing", "state_reason"] if obj is not None else []
        return [*super().get_readonly_fields(request, obj), *fixed]

    @button("Resume", "resume")
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        system = self.row_to_change(request, object_id)
        if request.method != "POST":
            question = "Let the system take deliveries again? What was held for it goes out now."
            return confirm(request, self, system, title=f"Resume {system}", question=question, button="Resume")
        return self.done(request, system, f"Resumed; held deliveries that are due now: {deliveries.resume(system)}.")

    @button("Pause", "pause")
    def pause(self, request: HttpRequest, object_id: str) -> HttpResponse:
        system = self.row_to_change(request, object_id)
        if request.method != "POST":
            question = "Hold everything that goes to this system until it is resumed?"
            return confirm(request, self, system, title=f"Pause {system}", question=question, button="Pause")
        standing.pause_system(system)
        return self.done(request, system, "Paused. Deliveries are held until you resume it.")

    @button("Disable", "disable")
    def disable(self, request: HttpRequest, object_id: str) -> HttpResponse:
        system = self.row_to_change(request, object_id)
        if request.method != "POST":
            question = "Stop for good? Deliveries to this system become dead instead of waiting."
            return confirm(request, self, system, title=f"Disable {system}", question=question, button="Disable")
        standing.disable_system(system)
        return self.done(request, system, "Disabled.")


class SecretInline(TenantInline):
    """Secrets by their dates. A new one is made by a button; an end in the future leaves time for the change."""

    model = ConnectionSecret
    tenant_path = "connection__organization"
    editors = BY_SUPPORT
    verbose_name_plural = "signing secrets"
    fields = ("created_at", "expires_at")
    readonly_fields = ("created_at",)
    ordering = ("-created_at",)
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Connection)
class ConnectionAdmin(StandingAdmin):
    tenant_path = "organization"
    editors = BY_SUPPORT
    list_display = ("id", "system", "standing", "created_at")
    list_select_related = ("system", "organization")
    list_filter = ("state", "system")
    search_fields = ("=id", "system__name")
    ordering = ("system__name", "id")
    inlines = (SecretInline,)
    actions_detail = ("new_secret", "end_older", "pause", "resume", "disable")
    standing = coloured("State", "state", STANDING_COLOURS)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new connection needs only its system."""
        shown = ("system",) if obj is None else ("system", "id", "url", "standing", "created_at")
        several = self._has_several(request, obj)
        return [(None, {"fields": (("organization",) if several else ()) + shown})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = ["system", "id", "url", "standing", "created_at"] if obj is not None else []
        return [*super().get_readonly_fields(request, obj), *fixed]

    @column("URL for the vendor")
    def url(self, row: Connection) -> str:
        return f"{settings.PUBLIC_URL}/api/webhooks/channel-events/{row.pk}"

    @button("New secret", "new-secret")
    def new_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_to_change(request, object_id)
        title = "New signing secret"
        if request.method != "POST":
            question = "Make another secret? It is shown once. The present ones stay valid until you end them."
            return confirm(request, self, row, title=title, question=question, button="Make it")
        text = secrets.token_urlsafe(32)
        try:
            ConnectionSecret.objects.create(connection=row, sealed=vault.encrypt(text))
        except ConfigurationError as error:
            messages.error(request, f"No secret was made: {error}.")
            return HttpResponseRedirect(request.path)
        self.log_change(request, row, "Made a new signing secret.")
        note = "Copy it now and give it to the vendor: it is stored encrypted and never shown again."
        return show_once(
            request, self, row, title=title, note=note, facts={"Secret": text, "URL": self.url(row), "Id": row.pk}
        )

    @button("End older secrets", "end-older")
    def end_older(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_to_change(request, object_id)
        if request.method != "POST":
            question = "End every secret but the newest? Requests signed with an older one are refused from now on."
            return confirm(request, self, row, title="End older secrets", question=question, button="End them")
        return self.done(request, row, f"Older secrets ended: {standing.end_older_secrets(row)}.")

    @button("Pause", "pause")
    def pause(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_to_change(request, object_id)
        if request.method != "POST":
            question = "Keep accepting and storing, but route nothing until it is resumed?"
            return confirm(request, self, row, title=f"Pause {row}", question=question, button="Pause")
        standing.pause_connection(row)
        return self.done(request, row, "Paused. What comes in is stored and routed when you resume it.")

    @button("Resume", "resume")
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_to_change(request, object_id)
        if request.method != "POST":
            question = "Route what comes in, and what was held until now?"
            return confirm(request, self, row, title=f"Resume {row}", question=question, button="Resume")
        return self.done(request, row, f"Resumed; held events that are routed now: {standing.resume_connection(row)}.")

    @button("Disable", "disable")
    def disable(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_to_change(request, object_id)
        if request.method != "POST":
            question = "Close the door? The vendor gets 404 for everything it sends."
            return confirm(request, self, row, title=f"Disable {row}", question=question, button="Disable")
        standing.disable_connection(row)
        return self.done(request, row, "Disabled.")


@admin.register(ExternalReference)
class ExternalReferenceAdmin(TenantAdmin):
    tenant_path = "organization"
    editors = BY_SUPPORT
    fields = (("system", "kind"), "external_id", "wedding", "contact")
    list_display = ("external_id", "kind", "system", "wedding", "contact")
    list_select_related = ("system", "wedding", "contact", "organization")
    list_filter = ("kind", "system")
    search_fields = ("external_id", "wedding__couple", "contact__name")
    autocomplete_fields = ("wedding", "contact")
    ordering = ("-id",)


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
