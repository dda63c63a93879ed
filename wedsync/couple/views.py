"""The page, what it asks for while it is open, and what its buttons do. All need the session of a personal link."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from notifications.channels.web_push import subscriptions
from notifications.incidents import acknowledging
from notifications.wording.languages import LANGUAGES
from wedsync.couple import calendar, entrance, last_seen, sessions, state
from wedsync.couple.content import emergency, words
from wedsync.couple.last_seen import LastSeen
from wedsync.couple.models import LinkSession
from wedsync.ids import as_id
from wedsync.live.access import tickets
from wedsync.web import minute_counts
from wedsync.weddings import personal_links

HEADERS = {
    "Cache-Control": "private, no-cache",
    "Referrer-Policy": "same-origin",  # with none, browsers post forms without an origin, which Django refuses
    "X-Robots-Tag": "noindex, nofollow",
}
VIA = "the page"
View = Callable[..., HttpResponse]


def of_session(view: View) -> View:
    """Give a view the session instead of the wedding's id; without one, say that the link no longer works.

    The first request for anything but its head makes the session one of the link's browsers.
    """
    return _guarded(view, _admitted)


def of_any_session(view: View) -> View:
    """Like :func:`of_session`, also where the link has ended: for views that only end what the browser began."""
    return _guarded(view, sessions.begun)


def _admitted(request: HttpRequest, wedding_id: UUID) -> LinkSession | None:
    session = sessions.of(request, wedding_id)
    return session if session and (request.method == "HEAD" or sessions.is_admitted(session)) else None


def _guarded(view: View, session_of: Callable[[HttpRequest, UUID], LinkSession | None]) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, wedding_id: UUID, *args: Any) -> HttpResponse:
        session = session_of(request, wedding_id)
        answer = entrance.closed(request, wedding_id) if session is None else view(request, session, *args)
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer

    return guarded


@require_safe
@of_session
def page(request: HttpRequest, session: LinkSession) -> HttpResponse:
    """The whole page as it is now."""
    if request.method != "HEAD":
        sessions.note_shown(session)
    push_key = subscriptions.offered_key(session.link.organization_id)
    return render(request, "couple/page.html", {**_shown(session), "push_key": push_key})


@require_safe
@of_session
def parts(request: HttpRequest, session: LinkSession) -> HttpResponse:
    """The parts that change, for a page that is open."""
    return render(request, "couple/changing.html", _shown(session, last_seen.given(request.GET)))


def _shown(session: LinkSession, looked: LastSeen | None = None) -> dict[str, Any]:
    shown = state.read(session, looked)
    return {
        "page": shown,
        "words": shown.words,
        "home": sessions.path_of(shown.wedding.id),
        "live": json.dumps(shown.live),
        "languages": words.NAMES.items(),
    }


@require_POST
@of_session
def ticket(request: HttpRequest, session: LinkSession) -> HttpResponse:
    """A ticket for one connection to the couple's channels; each link has as many a minute as an API key."""
    counted = minute_counts.shared().count(f"couple-tickets:{session.link_id}")
    if counted.used > settings.LIMIT_TICKETS:
        return HttpResponse(status=429, headers={"Cache-Control": "no-store", "Retry-After": str(counted.seconds)})
    try:
        text, expires_at = tickets.issue_for_contact(session.link.contact_id, session.link_id)
    except tickets.LinkEnded:  # at this very moment
        return entrance.closed(request, session.link.wedding_id)
    return JsonResponse({"ticket": text, "expires_at": expires_at.isoformat()}, headers={"Cache-Control": "no-store"})


@require_POST
@of_session
def seen(request: HttpRequest, session: LinkSession) -> HttpResponse:
    """Note the last event that the page has shown; for browsers without a socket, and for the button without script."""
    given = request.POST.get("sequence", "")
    if given.isascii() and given.isdigit() and len(given) < 19:
        last_seen.note(session.link.contact, state.channel_of(session.link.wedding), int(given))
    return _back(session)


@require_POST
@of_session
def acknowledge(request: HttpRequest, session: LinkSession) -> HttpResponse:
    """Take care of the open emergency, once; the first to do so remains responsible."""
    named = as_id(request.POST.get("incident", ""))
    incident = emergency.living(session.link.wedding).filter(pk=named).first() if named else None
    if incident is not None:
        acknowledging.acknowledge_incident(incident, by=session.link.contact.name, via=VIA)
    return _back(session)


@require_POST
@of_session
def language(request: HttpRequest, session: LinkSession) -> HttpResponse:
    """Show the page in another language, in this browser."""
    chosen = request.POST.get("language", "")
    if chosen in LANGUAGES:
        LinkSession.objects.filter(id=session.id).update(language=chosen)
    return _back(session)


@require_safe
@of_session
def calendar_page(request: HttpRequest, session: LinkSession) -> HttpResponse:
    """How to put the wedding into a calendar, with the contact's own address of it."""
    link = personal_links.calendar_of(session.link.contact)
    said = words.words_of(state.reader_of(session).language)
    address = calendar.address_of(link)
    context = {"words": said, "address": address, "home": sessions.path_of(session.link.wedding_id)}
    context["subscribe"] = f"webcal://{address.partition('://')[2]}"
    return render(request, "couple/calendar.html", context)


def _back(session: LinkSession) -> HttpResponse:
    answer = HttpResponseRedirect(sessions.path_of(session.link.wedding_id))
    answer.status_code = 303
    return answer
