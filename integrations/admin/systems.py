"""Admin of systems, their connections, and their names for what is ours."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from integrations import standing
from integrations.admin.buttons import ButtonAdmin, asked
from integrations.admin.forms import CREDENTIAL_FIELDS, CREDENTIALS, SystemForm, shown_for
from integrations.models import Connection, ConnectionSecret, ExternalReference, System
from wedsync.env import ConfigurationError
from wedsync.weddings.admin_looks import BAD, GOOD, WARNING, coloured, column, show_once
from wedsync.weddings.tenancy import BY_SUPPORT
from wedsync.weddings.tenant_admin import TenantAdmin, TenantInline

STANDING_COLOURS = {"active": GOOD, "paused": WARNING, "disabled": BAD}


@admin.register(System)
class SystemAdmin(ButtonAdmin):
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

    @asked("Resume", "resume", "Let the system take deliveries again? What was held for it goes out now.")
    def resume(self, request: HttpRequest, system: System) -> str:
        return f"Resumed; held deliveries that are due now: {standing.resume_system(system)}."

    @asked("Pause", "pause", "Hold everything that goes to this system until it is resumed?")
    def pause(self, request: HttpRequest, system: System) -> str:
        standing.pause_system(system)
        return "Paused. Deliveries are held until you resume it."

    @asked("Disable", "disable", "Stop for good? Deliveries to this system become dead instead of waiting.")
    def disable(self, request: HttpRequest, system: System) -> str:
        standing.disable_system(system)
        return "Disabled."


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
class ConnectionAdmin(ButtonAdmin):
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

    @asked(
        "New secret",
        "new-secret",
        "Make another signing secret? It is shown once. The present ones stay valid until you end them.",
    )
    def new_secret(self, request: HttpRequest, row: Connection) -> HttpResponse:
        try:
            text = standing.new_secret(row)
        except ConfigurationError as error:
            messages.error(request, f"No secret was made: {error}.")
            return HttpResponseRedirect(request.path)
        self.log_change(request, row, "Made a new signing secret.")
        note = "Copy it now and give it to the vendor: it is stored encrypted and never shown again."
        facts = {"Secret": text, "URL": self.url(row), "Id": row.pk}
        return show_once(request, self, row, title="New signing secret", note=note, facts=facts)

    @asked(
        "End older secrets",
        "end-older",
        "End every secret but the newest? Requests signed with an older one are refused from now on.",
    )
    def end_older(self, request: HttpRequest, row: Connection) -> str:
        return f"Older secrets ended: {standing.end_older_secrets(row)}."

    @asked("Pause", "pause", "Keep accepting and storing, but route nothing until it is resumed?")
    def pause(self, request: HttpRequest, row: Connection) -> str:
        standing.pause_connection(row)
        return "Paused. What comes in is stored and routed when you resume it."

    @asked(
        "Resume",
        "resume",
        "Route what comes in, and what was held until now?",
    )
    def resume(self, request: HttpRequest, row: Connection) -> str:
        return f"Resumed; held events that are routed now: {standing.resume_connection(row)}."

    @asked("Disable", "disable", "Close the door? The vendor gets 404 for everything it sends.")
    def disable(self, request: HttpRequest, row: Connection) -> str:
        standing.disable_connection(row)
        return "Disabled."


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
