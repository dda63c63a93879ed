"""Opening a personal link, and asking for a new one. A link that does not work looks the same, whatever the reason."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from notifications import link_requests
from wedsync.couple import sessions
from wedsync.couple.content import words
from wedsync.weddings import personal_links

HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}


@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Lead to the address at which the wedding's cookie is visible; there the link is used."""
    wedding_id = sessions.wedding_of(token)
    if wedding_id is None:
        return _no_longer(request, token)
    return _to(reverse("couple-start", args=[wedding_id, token]))


@require_safe
def start(request: HttpRequest, wedding_id: UUID, token: str) -> HttpResponse:
    """Open a session, unless this browser has one, and take the token out of the address bar; ``HEAD`` opens none.

    An app on the home screen starts here too: it may have a store of cookies of its own.
    """
    session = sessions.of(request, wedding_id)
    if session and session.shown_at:
        return _to(sessions.path_of(wedding_id))
    link = sessions.openable(token)
    if link is None or link.wedding_id != wedding_id:
        return _no_longer(request, token)
    answer = _to(sessions.path_of(wedding_id))
    if request.method != "HEAD":
        sessions.begin(link, request, answer)
    return answer


@csrf_exempt
@require_POST
def ask_for_new(request: HttpRequest) -> HttpResponse:
    """Send a new link to the contact of an old one. The answer is the same for everybody.

    The old token is the only proof, and a foreign page that knew it could post it directly, so that no cookie is needed
    against forgery.
    """
    link_requests.request_by(request.POST.get("token", ""))
    said = words.words_of(words.language_of(request))
    return _headers(render(request, "couple/sent.html", {"words": said}))


def closed(request: HttpRequest, wedding_id: UUID) -> HttpResponse:
    """The answer to a request without a valid session; a session of a link that has ended may ask for a new one."""
    session = sessions.ended(request, wedding_id)
    token = personal_links.token_of(session.link_id) if session else ""
    language = session.language or session.link.contact.locale.split("-")[0] if session else ""
    return _no_longer(request, token, language, status=403)


def _no_longer(request: HttpRequest, token: str, language: str = "", *, status: int = 410) -> HttpResponse:
    said = words.words_of(language or words.language_of(request))
    answer = _headers(render(request, "couple/closed.html", {"words": said, "token": token}, status=status))
    answer._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001  (its path may hold a secret)
    return answer


def _to(path: str) -> HttpResponse:
    answer = HttpResponseRedirect(path)
    answer.status_code = 303
    return _headers(answer)


def _headers(answer: HttpResponse) -> HttpResponse:
    for name, value in HEADERS.items():
        answer[name] = value
    return answer
