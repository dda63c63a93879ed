"""Weddings in the admin. Here, because an edit is an event that everyone concerned must learn, as with the API."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from integrations.publishing import change_wedding
from wedsync.weddings import changes
from wedsync.weddings.admin import WeddingAdmin
from wedsync.weddings.models import Wedding


@admin.register(Wedding)
class PublishingWeddingAdmin(WeddingAdmin):
    """Changes of date, times, venue, guests and capacity go out; the rest, and emptied fields, are only stored."""

    def save_model(self, request: HttpRequest, obj: Wedding, form: Any, change: bool) -> None:
        """Save; the page's transaction holds the events too."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        self.check_saved(request, obj, change=change)
        values = {
            name: getattr(obj, name)
            for name in form.changed_data
            if name in changes.CHANGEABLE and getattr(obj, name) not in (None, "")
        }
        stored = [name for name in form.changed_data if name not in values]
        if stored:
            obj.save(update_fields=stored)
        if values:
            change_wedding(obj, values, occurred_at=timezone.now())
