"""The page that shows who listens to an organization's live channels now, and ends one of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from wedsync.console.pages import View, staff_page, view_of
from wedsync.live.listeners import all_processes
from wedsync.live.listeners.messages import Listener
from wedsync.weddings.tenant_admin.access import BY_OWNERS, access

PAGE = 50
GONE = "It was told to end; if it was gone already, nothing happened."
AWAY = "Redis does not answer, so the web processes cannot be asked. Events still arrive, up to 2 s late."


@require_safe
@staff_page
def listeners(request: HttpRequest) -> HttpResponse:
    """The list, with a search and pages."""
    view = view_of(request)
    if view is None:
        return render(request, "console/empty.html")
    context: dict[str, Any] = {
        "view": view,
        "q": request.GET.get("q", "")[:100],
        "may_end": access(request).changes(view.organization.pk, BY_OWNERS),
    }
    try:
        found = all_processes.who_listens(view.organization.pk)
    except all_processes.Unavailable:
        return render(request, "console/listeners.html", context | {"away": AWAY}, status=503)
    chosen = [each for each in found.listed if _fits(each, context["q"])]
    page = Paginator(chosen, PAGE).get_page(request.GET.get("page"))
    rows = [(each, datetime.fromtimestamp(each.since, UTC)) for each in page]
    return render(request, "console/listeners.html", context | {"found": found, "page": page, "rows": rows})


def _fits(listener: Listener, asked: str) -> bool:
    texts = [listener.who, listener.kind, listener.transport, listener.address, *listener.channels]
    return any(asked.casefold() in text.casefold() for text in texts)


@require_POST
@staff_page
def end_listener(request: HttpRequest, listener: UUID) -> HttpResponse:
    """End one socket or stream.

    Raises:
        PermissionDenied: the user may not do that in this organization.
    """
    view = view_of(request)
    if view is None or not access(request).changes(view.organization.pk, BY_OWNERS):
        raise PermissionDenied
    try:
        all_processes.end(view.organization.pk, str(listener), staff=request.user.get_username())
        messages.success(request, GONE)
    except all_processes.Unavailable:
        messages.error(request, AWAY)
    return redirect(_page_of(view))


def _page_of(view: View) -> str:
    return f"{reverse('listeners')}?organization={view.organization.slug}"
