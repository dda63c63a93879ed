"""Connections, with what their receipts tell: whether somebody still signs with an older secret."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince

from integrations.admin.connections import ConnectionAdmin, SecretInline
from integrations.models import Connection, ConnectionSecret
from integrations.standing import live_secret
from webhooks.models import Receipt
from wedsync.weddings.admin_looks import column

_WARNING = "font-semibold text-orange-700 dark:text-orange-400"


def _last_use(secret_id: str) -> Subquery:
    """When a secret was last used while there was a newer one; the index on such receipts answers it."""
    return Subquery(
        Receipt.objects.filter(older_secret_id=OuterRef(secret_id)).order_by("-id").values("received_at")[:1]
    )


class UsedSecretInline(SecretInline):
    """Secrets, with their last use as an older one."""

    fields = (*SecretInline.fields, "used_as_older")
    readonly_fields = (*SecretInline.readonly_fields, "used_as_older")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).annotate(last_use=_last_use("pk"))
        return rows

    @column("Last used beside a newer one")
    def used_as_older(self, secret: ConnectionSecret) -> str:
        return _ago(getattr(secret, "last_use", None)) or "never"


@admin.register(Connection)
class UsedConnectionAdmin(ConnectionAdmin):
    """Connections, with a warning where an older secret that still counts was used."""

    list_display = (*ConnectionAdmin.list_display, "older_secret")
    facts = (*ConnectionAdmin.facts, "older_secret")
    inlines = (UsedSecretInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        live = ConnectionSecret.objects.filter(live_secret(), connection=OuterRef("pk"))
        latest = live.annotate(last_use=_last_use("pk")).order_by(F("last_use").desc(nulls_last=True))
        used = Subquery(latest.values("last_use")[:1])
        rows: QuerySet[Any] = super().get_queryset(request).annotate(older_used_at=used)
        return rows

    @column("Older secret")
    def older_secret(self, row: Connection) -> str:
        used = _ago(getattr(row, "older_used_at", None))
        if not used:
            return "not used"
        return format_html('<span class="{}">was used {}</span>', _WARNING, used)


def _ago(moment: datetime | None) -> str:
    return f"{timesince(moment, timezone.now())} ago" if moment else ""
