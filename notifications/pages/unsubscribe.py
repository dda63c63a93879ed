"""The page that an email's unsubscribe link opens. GET shows it and changes nothing; POST acts.

Mail programs post ``List-Unsubscribe=One-Click`` without a person, cookies or an earlier page (RFC 8058): the link
alone authorizes it. Some post it in another form, or with an empty body: any POST counts.
"""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.template.response import TemplateResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications.consent import unsubscribing
from notifications.consent.unsubscribing import Holder, Unknown
from notifications.links import BadLink
from notifications.pages.languages import language_of
from notifications.pages.unsubscribe_words import words_of

_ACTS: dict[str, Callable[[str], Holder]] = {
    "leave_category": unsubscribing.leave_category,
    "take_category": unsubscribing.take_category,
    "leave_all": unsubscribing.leave_all,
    "take_all": unsubscribing.take_all,
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Show which emails the link's holder receives, or change that."""
    try:
        found = _acted(request, token)
    except BadLink:
        return _page(request, 404, "damaged", None)
    except Unknown:
        return _page(request, 410, "gone", None)
    return _page(request, 200, "", found)


def _acted(request: HttpRequest, token: str) -> Holder:
    """Do what the page's button says; any other POST, even an empty one, is a mail program's one click."""
    if request.method != "POST":
        return unsubscribing.holder(token)
    return _ACTS.get(_button(request), unsubscribing.leave_category)(token)


def _button(request: HttpRequest) -> str:
    """The pressed button; empty where the body names none or is not a form."""
    try:
        return request.POST.get("do", "")
    except (SuspiciousOperation, MultiPartParserError, BadRequest, UnreadablePostError):
        return ""


def _page(request: HttpRequest, status: int, trouble: str, found: Holder | None) -> HttpResponse:
    words = words_of(found.language if found else language_of(request), found.category if found else "")
    context = {"words": words, "found": found, "trouble": words.get(trouble, "")}
    return TemplateResponse(request, "notifications/unsubscribe.html", context, status=status, headers=_HEADERS)
