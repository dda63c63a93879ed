"""The console's pages: the dashboard, and the trace of one event."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from integrations.health.report import report
from integrations.registry.senders import CHANNEL_CHOICES
from integrations.states import State
from wedsync.console import overview
from wedsync.console.pages import View, staff_page, view_of
from wedsync.console.trace import trace
from wedsync.database.snapshots import snapshot
from wedsync.weddings.tenant_admin.access import access


@require_safe
@staff_page
def console(request: HttpRequest) -> HttpResponse:
    """The dashboard: what comes in and goes out, live."""
    view = view_of(request)
    if view is None:
        return render(request, "console/empty.html")
    with snapshot():
        return render(request, "console/console.html", _dashboard(request, view))


def _dashboard(request: HttpRequest, view: View) -> dict[str, Any]:
    organization = view.organization
    weddings = overview.current_weddings(organization)
    health = report(organization.pk)
    systems = overview.systems(health)
    positions = overview.positions(organization, weddings, [each.system for each in systems])
    asked = {name: request.GET.get(name, "") for name in ("state", "channel", "q", "page")}
    return {
        "view": view,
        "positions": json.dumps(positions if view.is_member else {}),
        "weddings": json.dumps({str(wedding.pk): wedding.couple for wedding in weddings}),
        "events": [(event, overview.summary(event.payload)) for event in overview.latest_events(organization)],
        "unplaced": overview.unplaced(organization),
        "cards": overview.cards(organization),
        "health": health,
        "systems": systems,
        "page": overview.deliveries(organization, asked),
        "asked": asked,
        "states": State.values,
        "channels": CHANNEL_CHOICES,
    }


@require_safe
@staff_page
def event_trace(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """The trace of an event, from receipt to delivery."""
    return render(request, "console/trace.html", {"trace": trace(access(request), event_id)})
