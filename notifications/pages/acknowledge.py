"""``/acknowledge/<token>/``: opened from a mail. To look at it does nothing; only its button does.

Mail scanners follow every link, so GET and HEAD never act. The token is all the proof there is, and a foreign page that
knew it could as well send it itself: so the button needs no cookie against forgery.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications import acknowledging, links
from notifications.models import Incident

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
}


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def acknowledge(request: HttpRequest, token: str) -> HttpResponse:
    """The page, and what its button does."""
    try:
        asked = acknowledging.read(token)
        if request.method == "POST":
            acknowledging.acknowledge(token, by=asked.name, via="email")
            asked.incident.refresh_from_db()
    except links.BadLink as error:
        return _page(request, {"problem": str(error)}, status=410 if isinstance(error, acknowledging.TooLate) else 404)
    return _page(request, _facts(asked.incident))


def _facts(incident: Incident) -> dict[str, Any]:
    return {
        "incident": incident,
        "kind": incident.kind.replace("_", " ").capitalize(),
        "open": incident.state == Incident.State.OPEN,
        "resolved": incident.state == Incident.State.RESOLVED,
        "opened_at": incident.opened_at,
        "acknowledged_at": incident.acknowledged_at,
        "resolved_at": incident.resolved_at,
        "zone": incident.wedding.timezone if incident.wedding else "UTC",
    }


def _page(request: HttpRequest, facts: dict[str, Any], *, status: int = 200) -> HttpResponse:
    shown = render(request, "notifications/acknowledge.html", facts, status=status)
    for name, value in HEADERS.items():
        shown[name] = value
    return shown
