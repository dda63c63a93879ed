"""Admin of connections: their address, limits and secrets."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from integrations import standing
from integrations.admin.buttons import Asked, ButtonAdmin, asked
from integrations.admin.connection_forms import ConnectionForm, OverlapForm, ProviderSecretForm
from integrations.admin.systems import STANDING_COLOURS
from integrations.models import Connection, ConnectionSecret, System
from wedsync.env import ConfigurationError
from wedsync.weddings.admin_looks import button, coloured, column, show_once
from wedsync.weddings.tenancy import BY_SUPPORT
from wedsync.weddings.tenant_admin import TenantInline

Purpose = ConnectionSecret.Purpose
CALLBACK_SLUGS = {System.Kind.WHATSAPP: "whatsapp", System.Kind.SLACK: "slack", System.Kind.EMAIL: "resend"}


class SecretInline(TenantInline):
    """Secrets by their dates. A new one is made by a button; an end in the future leaves time for the change."""

    model = ConnectionSecret
    tenant_path = "connection__organization"
    editors = BY_SUPPORT
    verbose_name_plural = "secrets"
    fields: ClassVar[tuple[str, ...]] = ("created_at", "purpose", "expires_at")
    readonly_fields: ClassVar[tuple[str, ...]] = ("created_at", "purpose")
    ordering = ("-created_at", "-id")
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ConnectionAdmin(ButtonAdmin):
    """Registered by webhooks/admin/connections.py, which knows when a secret was used."""

    tenant_path = "organization"
    editors = BY_SUPPORT
    form = ConnectionForm
    list_display: tuple[str, ...] = ("id", "system", "standing", "created_at")
    list_select_related = ("system", "organization")
    list_filter = ("state", "system", "system__kind")
    search_fields = ("=id", "system__name")
    ordering = ("system__name", "id")
    inlines = (SecretInline,)
    actions_detail = ("new_secret", "enter_secret", "new_handshake", "end_older", "pause", "resume", "disable")
    standing = coloured("State", "state", STANDING_COLOURS)
    limits = ("limit_per_hour", "networks")
    facts: tuple[str, ...] = ("id", "url", "standing", "created_at")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new connection needs only its system."""
        shown = ("system",) if obj is None else ("system", *self.facts)
        several = self._has_several(request, obj)
        return [
            (None, {"fields": (("organization",) if several else ()) + shown}),
            ("Limits", {"fields": self.limits}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = ["system", *self.facts] if obj is not None else []
        return [*super().get_readonly_fields(request, obj), *fixed]

    def is_offered(self, row: Any, path: str) -> bool:
        """Vendors get a secret from us, providers give us theirs; WhatsApp's handshake needs one from us."""
        match path:
            case "new-secret":
                return row.system.kind not in CALLBACK_SLUGS
            case "enter-secret":
                return row.system.kind in CALLBACK_SLUGS
            case "new-handshake":
                return bool(row.system.kind == System.Kind.WHATSAPP)
        return True

    @column("URL for the other side")
    def url(self, row: Connection) -> str:
        slug = CALLBACK_SLUGS.get(System.Kind(row.system.kind))
        return f"{settings.PUBLIC_URL}/api/webhooks/{f'providers/{slug}' if slug else 'channel-events'}/{row.pk}"

    @button("New secret", "new-secret")
    def new_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make one and show it once."""
        row = self._offered(request, object_id, "new-secret")
        form = OverlapForm(request.POST or None)
        if not form.is_valid():
            return self._ask(request, row, "New secret", "Make another signing secret? It is shown once.", form)
        return self._make(request, row, form, Purpose.SIGNING, "Copy it now and give it to the vendor")

    @button("New verify token", "new-handshake")
    def new_handshake(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The same for WhatsApp's handshake."""
        row = self._offered(request, object_id, "new-handshake")
        form = OverlapForm(request.POST or None)
        if not form.is_valid():
            question = "Make a token with which WhatsApp proves that it may subscribe? It is shown once."
            return self._ask(request, row, "New verify token", question, form)
        return self._make(request, row, form, Purpose.HANDSHAKE, "Copy it now into the app's webhook settings")

    @button("Enter the provider's secret", "enter-secret")
    def enter_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Store the secret that a provider signs with."""
        row = self._offered(request, object_id, "enter-secret")
        form = ProviderSecretForm(row.system.kind, request.POST or None)
        if not form.is_valid():
            question = "It is stored encrypted, and never shown."
            return self._ask(request, row, "Enter the provider's secret", question, form)
        try:
            standing.add_secret(row, form.cleaned_data["text"], overlap=form.chosen)
        except ConfigurationError as error:
            return self._not_made(request, row, error)
        return self.done(request, row, "Stored the provider's secret.")

    def _offered(self, request: HttpRequest, object_id: str, path: str) -> Connection:
        row: Connection = self.row_to_press(request, object_id)
        if not self.is_offered(row, path):
            raise Http404
        return row

    def _ask(self, request: HttpRequest, row: Connection, label: str, question: str, form: forms.Form) -> HttpResponse:
        asked_for = Asked(f"{label}: {row}", button=label, back=self.page_of(row), question=question, form=form)
        return asked_for.answer(request, self)

    def _make(
        self, request: HttpRequest, row: Connection, form: OverlapForm, purpose: Purpose, note: str
    ) -> HttpResponse:
        try:
            text = standing.new_secret(row, overlap=form.chosen, purpose=purpose)
        except ConfigurationError as error:
            return self._not_made(request, row, error)
        self.log_change(request, row, f"Made a new secret ({purpose.label.lower()}).")
        note = f"{note}: it is stored encrypted and never shown again."
        facts = {"Secret": text, "URL": self.url(row), "Id": row.pk}
        return show_once(request, self, row, title="New secret", note=note, facts=facts)

    def _not_made(self, request: HttpRequest, row: Connection, error: ConfigurationError) -> HttpResponse:
        messages.error(request, f"No secret was stored: {error}.")
        return HttpResponseRedirect(self.page_of(row))

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

    @asked("Disable", "disable", "Close the door? The other side gets 404 for everything it sends.")
    def disable(self, request: HttpRequest, row: Connection) -> str:
        standing.disable_connection(row)
        return "Disabled."
