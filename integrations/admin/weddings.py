"""Weddings in the admin. They are here because an edit is published as an event, as in the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from integrations.routing import audience
from integrations.routing.audience import Reached
from integrations.wedding_events.publishing import change_wedding
from wedsync.weddings import fields
from wedsync.weddings.admin import WeddingAdmin
from wedsync.weddings.models import Wedding
from wedsync.weddings.tenant_admin.looks import column, table


@admin.register(Wedding)
class PublishingWeddingAdmin(WeddingAdmin):
    """Changes of date, times, venue, guests and capacity are published; others, and emptied fields, are only stored."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Below the fields: who is told when they are saved."""
        found = list(super().get_fieldsets(request, obj))
        if obj is None:
            return found
        told = {
            "fields": ("who_is_told",),
            "description": "Saving a change tells these people and systems immediately. Emptying a field tells nobody.",
        }
        return [*found, ("Who is told of a change", told)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), *(["who_is_told"] if obj is not None else [])]

    @column("By today's routes")
    def who_is_told(self, wedding: Wedding) -> SafeString:
        stored = Wedding.objects.filter(pk=wedding.pk).first() or wedding  # refused input may not fit
        return table(("Change of", "Tells", "Via"), _rows(audience.of_changes(stored)))

    def save_model(self, request: HttpRequest, obj: Wedding, form: Any, change: bool) -> None:
        """Save the row and publish its events in one transaction."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        self.check_saved(request, obj, change=change)
        values = {
            name: getattr(obj, name)
            for name in form.changed_data
            if name in fields.CHANGEABLE and getattr(obj, name) not in (None, "")
        }
        stored = [name for name in form.changed_data if name not in values]
        if stored:
            obj.save(update_fields=stored)
        if values:
            change_wedding(obj, values, occurred_at=timezone.now(), by=name_of(request))


def name_of(request: HttpRequest) -> str:
    """The name of the signed-in user."""
    full_name = getattr(request.user, "get_full_name", str)()
    return str(full_name or request.user.get_username())


def _rows(parts: Sequence[tuple[str, Sequence[Reached]]]) -> list[tuple[str, str, str]]:
    rows = []
    for part, reached in parts:
        if not reached:
            rows.append((part, "nobody: no route leads anywhere", ""))
        for number, each in enumerate(reached):
            by = f"{each.by} ({each.but})" if each.but else each.by
            rows.append(("" if number else part, each.name, by))
    return rows
