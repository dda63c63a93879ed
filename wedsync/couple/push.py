"""Notifications in a browser: the page's script registers its subscription here, under the session of a personal link.

The service worker calls it too and has no token against forgery. So a request must come from our own origin and be
JSON, which no form of another page can send.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications.channels.web_push import subscriptions
from wedsync.couple import devices
from wedsync.couple.models import LinkSession
from wedsync.couple.views import of_any_session, of_session
from wedsync.web import minute_counts
from wedsync.wire import strict_json

LARGEST = 8 * 1024  # bytes
MOST_A_MINUTE = 10
"""Subscriptions taken up or renewed under one link."""


@csrf_exempt
@require_http_methods(["GET", "POST", "DELETE"])
def push(request: HttpRequest, wedding_id: UUID) -> HttpResponse:
    """GET: our public key. POST: take up the browser's subscription, or renew it. DELETE: end it."""
    view = of_any_session(_push) if request.method == "DELETE" else of_session(_push)
    return view(request, wedding_id)


def _push(request: HttpRequest, session: LinkSession) -> HttpResponse:
    key = subscriptions.offered_key(session.link.organization_id)
    if request.method == "GET":
        return JsonResponse({"key": key})
    if not _is_from_our_page(request):
        return _problem(403, "Only the page itself may do this.")
    if request.method == "POST" and (wait := _seconds_to_wait(session)):
        return _problem(429, "Too many requests for this page.", headers={"Retry-After": str(wait)})
    try:
        given = _read(request)
        if request.method == "DELETE":
            subscriptions.unsubscribe(session.link.contact, _text(given, "endpoint"))
        elif not key or not _taken_up(request, session, given):
            return _problem(404, "There is no such subscription." if key else "Notifications are not set up.")
    except ValueError as error:
        return _problem(400, str(error))
    return HttpResponse(status=204)


def _taken_up(request: HttpRequest, session: LinkSession, given: dict[str, Any]) -> bool:
    found = subscriptions.read(given.get("subscription"))
    replaces = _text(given, "replaces") if "replaces" in given else ""
    if given.get("renew") is True:
        return subscriptions.renew(session.link, found, replaces=replaces)
    name = devices.named(request.headers.get("User-Agent", "")[:1_000])
    subscriptions.subscribe(session.link, found, name, replaces=replaces)
    return True


def _seconds_to_wait(session: LinkSession) -> int:
    """Count one more under the session's link; returns the seconds until the next is accepted, 0 if this one is."""
    counted = minute_counts.shared().count(f"couple-push:{session.link_id}")
    return counted.seconds if counted.used > MOST_A_MINUTE else 0


def _is_from_our_page(request: HttpRequest) -> bool:
    public = urlsplit(settings.PUBLIC_URL)
    ours = {f"{request.scheme}://{request.get_host()}", f"{public.scheme}://{public.netloc}"}
    return request.headers.get("Origin") in ours and request.content_type == "application/json"


def _read(request: HttpRequest) -> dict[str, Any]:
    if len(request.body) > LARGEST:
        raise ValueError(f"The body is larger than {LARGEST} bytes.")
    value = strict_json.loads(request.body)
    if not isinstance(value, dict) or not strict_json.is_storable(value):
        raise ValueError("Send a JSON object.")
    return value


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a text.")  # noqa: TRY004 - callers expect one type of error
    return value


def _problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JsonResponse:
    return JsonResponse({"detail": detail}, status=status, headers=headers)
