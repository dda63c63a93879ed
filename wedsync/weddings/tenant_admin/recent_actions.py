"""Recent actions on the admin's first page, limited to rows that the user may still see."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from wedsync.weddings.tenant_admin.access import access
from wedsync.weddings.tenant_admin.pages import tenant_admin_of

_RECENT = 20


def site_context(request: HttpRequest) -> dict[str, Any]:
    """Context of every admin page: recent actions on rows that the user may still see. See ``UNFOLD`` in settings."""
    user_id = request.user.pk
    own = LogEntry.objects.filter(user_id=user_id) if user_id else LogEntry.objects.none()
    if access(request).everything:
        return {"log_entries": own}
    shown = request.path == reverse("admin:index")
    return {"log_entries": own.filter(pk__in=_still_visible(request, own)) if shown else own.none()}


def _still_visible(request: HttpRequest, entries: QuerySet[LogEntry]) -> list[int]:
    visible = []
    for entry in entries.select_related("content_type")[:_RECENT]:
        model = entry.content_type.model_class() if entry.content_type else None
        pages = tenant_admin_of(admin.site, model) if model else None
        row = pages.get_object(request, entry.object_id or "") if pages else None
        if pages and row is not None and pages.has_view_permission(request, row):
            visible.append(entry.pk)
    return visible
