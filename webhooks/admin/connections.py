"""Admin of connections: their URL, limits and secrets, and whether an older secret is still in use."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince

from integrations.admin.buttons import ButtonAdmin, Question, asked
from integrations.admin.systems import STANDING_COLOURS
from integrations.models import Connection, ConnectionSecret
from integrations.systems import connection_secrets, lifecycle
from webhooks.admin.connection_forms import ConnectionForm, OverlapForm, ProviderSecretForm
from webhooks.connection_urls import provider_of, url_of
from webhooks.models import Receipt
from wedsync.env import ConfigurationError
from wedsync.weddings.tenant_admin.access import BY_SUPPORT
from wedsync.weddings.tenant_admin.looks import button, coloured, column, show_once
from wedsync.weddings.tenant_admin.pages import TenantInline

Purpose = ConnectionSecret.Purpose
_WARNING = "font-semibold text-orange-700 dark:text-orange-400"


def _last_use(secret_id: str) -> Subquery:
    """When a secret was last used while there was a newer one, from the index on such receipts."""
    return Subquery(
        Receipt.objects.filter(older_secret_id=OuterRef(secret_id)).order_by("-id").values("received_at")[:1]
    )


def _ago(moment: datetime | None) -> str:
    return f"{timesince(moment, timezone.now())} ago" if moment else ""


class SecretInline(TenantInline):
    """Secrets by date. A button makes a new one; a future end leaves time to switch."""

    model = ConnectionSecret
    tenant_path = "connection__organization"
    editors = BY_SUPPORT
    verbose_name_plural = "secrets"
    fields = ("created_at", "purpose", "expires_at", "used_as_older")
    readonly_fields = ("created_at", "purpose", "used_as_older")
    ordering = ("-created_at", "-id")
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).annotate(last_use=_last_use("pk"))
        return rows

    @column("Last used since a newer one exists")
    def used_as_older(self, secret: ConnectionSecret) -> str:
        return _ago(getattr(secret, "last_use", None)) or "never"


@admin.register(Connection)
class ConnectionAdmin(ButtonAdmin):
    """Connections, with a warning if an older secret that is still valid was used."""

    tenant_path = "organization"
    editors = BY_SUPPORT
    form = ConnectionForm
    list_display = ("id", "system", "shown_state", "created_at", "older_secret")
    list_select_related = ("system", "organization")
    list_filter = ("state", "system", "system__kind")
    search_fields = ("=id", "system__name")
    ordering = ("system__name", "id")
    inlines = (SecretInline,)
    actions_detail = ("new_secret", "enter_secret", "new_handshake", "end_older", "pause", "resume", "disable")
    shown_state = coloured("State", "state", STANDING_COLOURS)
    limits = ("limit_per_hour", "networks")
    facts = ("id", "url", "shown_state", "created_at", "older_secret")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        live = ConnectionSecret.objects.filter(connection_secrets.live_secret(), connection=OuterRef("pk"))
        latest = live.annotate(last_use=_last_use("pk")).order_by(F("last_use").desc(nulls_last=True))
        used = Subquery(latest.values("last_use")[:1])
        rows: QuerySet[Any] = super().get_queryset(request).annotate(older_used_at=used)
        return rows

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new connection has only its system and limits."""
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
        """Vendors get a secret from us; providers give us theirs; a handshake needs a token from us."""
        provider = provider_of(row)
        match path:
            case "new-secret":
                return provider is None
            case "enter-secret":
                return provider is not None
            case "new-handshake":
                return provider is not None and "GET" in provider.methods
        return True

    @column("URL for the other side")
    def url(self, row: Connection) -> str:
        return url_of(row)

    @column("Older secret")
    def older_secret(self, row: Connection) -> str:
        used = _ago(getattr(row, "older_used_at", None))
        if not used:
            return "not used"
        return format_html('<span class="{}">was used {}</span>', _WARNING, used)

    @button("New secret", "new-secret")
    def new_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make a secret and show it once."""
        row = self._offered(request, object_id, "new-secret")
        form = OverlapForm(request.POST or None)
        if not form.is_valid():
            return self._ask(request, row, "New secret", "Make a new signing secret? It is shown once.", form)
        return self._make(request, row, form, Purpose.SIGNING, "Copy it now and give it to the vendor")

    @button("New verify token", "new-handshake")
    def new_handshake(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make a token for WhatsApp's handshake and show it once."""
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
        provider = provider_of(row)
        if provider is None:
            raise Http404
        form = ProviderSecretForm(provider, request.POST or None)
        if not form.is_valid():
            question = "It is stored encrypted and never shown."
            return self._ask(request, row, "Enter the provider's secret", question, form)
        try:
            connection_secrets.add_secret(row, form.cleaned_data["text"], overlap=form.chosen)
        except ConfigurationError as error:
            return self._not_made(request, row, error)
        return self.done(request, row, "Stored the provider's secret.")

    def _offered(self, request: HttpRequest, object_id: str, path: str) -> Connection:
        row: Connection = self.row_to_press(request, object_id)
        if not self.is_offered(row, path):
            raise Http404
        return row

    def _ask(self, request: HttpRequest, row: Connection, label: str, text: str, form: forms.Form) -> HttpResponse:
        question = Question(f"{label}: {row}", button=label, back=self.page_of(row), text=text, form=form)
        return question.page(request, self)

    def _make(
        self, request: HttpRequest, row: Connection, form: OverlapForm, purpose: Purpose, note: str
    ) -> HttpResponse:
        try:
            text = connection_secrets.new_secret(row, overlap=form.chosen, purpose=purpose)
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
        "End every secret except the newest? Requests signed with an older one will be refused.",
    )
    def end_older(self, request: HttpRequest, row: Connection) -> str:
        return f"Older secrets ended: {connection_secrets.end_older_secrets(row)}."

    @asked("Pause", "pause", "Keep accepting and storing requests, but route nothing until it is resumed?")
    def pause(self, request: HttpRequest, row: Connection) -> str:
        lifecycle.pause_connection(row)
        return "Paused. Events are stored now and routed when you resume it."

    @asked(
        "Resume",
        "resume",
        "Route new events again, and those held until now?",
    )
    def resume(self, request: HttpRequest, row: Connection) -> str:
        return f"Resumed; held events being routed now: {lifecycle.resume_connection(row)}."

    @asked("Disable", "disable", "Disable the connection? The other side gets 404 for everything that it sends.")
    def disable(self, request: HttpRequest, row: Connection) -> str:
        lifecycle.disable_connection(row)
        return "Disabled."
