"""``/acknowledge/<token>/``: opened from an email. Looking at the page does nothing; only its button acts.

Mail scanners follow every link, so GET and HEAD never act. The token is the only proof, and a foreign page that knew it
could post it directly, so the button needs no cookie against forgery.
"""

from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel import dates
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications import links
from notifications.incidents import acknowledging
from notifications.models import UNKNOWN_KIND, Incident
from notifications.pages.acknowledge_words import way_of, words_of
from notifications.pages.languages import language_of
from notifications.wording.languages import Reader, reader

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
    """Show the page, or do what its button says, in the language of the message's recipient."""
    try:
        asked = acknowledging.read(token)
        if request.method == "POST":
            acknowledging.acknowledge(token, by=asked.name, via="email")
            asked.incident.refresh_from_db()
    except links.BadLink as error:
        late = isinstance(error, acknowledging.TooLate)
        words = words_of(language_of(request))
        trouble = {"words": words, "trouble": words["late" if late else "damaged"]}
        return _page(request, trouble, status=410 if late else 404)
    contact = asked.delivery.contact
    return _page(request, _facts(asked.incident, contact.locale if contact else language_of(request)))


def _facts(incident: Incident, locale: str) -> dict[str, Any]:
    read_by = reader(locale, incident.wedding.timezone if incident.wedding else "UTC")
    words = words_of(read_by.language)
    kind = read_by.word(incident.kind.strip() or UNKNOWN_KIND, "kind")
    taken: str = ""
    over: str = ""
    if incident.acknowledged_at:
        taken = format_html(
            words["taken"],
            name=_strong(incident.acknowledged_by),
            time=_clock(incident.acknowledged_at, read_by, "medium"),
            via=way_of(incident.acknowledged_via, words),
        )
    if incident.resolved_at:
        over = format_html(
            words["over"], name=_strong(incident.resolved_by), time=_clock(incident.resolved_at, read_by)
        )
    return {
        "incident": incident,
        "words": words,
        "kind": kind[:1].upper() + kind[1:],
        "description": incident.description.strip() or read_by.words["not_given"],
        "open": incident.state == Incident.State.OPEN,
        "reported": f"{_day(incident.opened_at, read_by)}, {_clock(incident.opened_at, read_by)} ({read_by.zone})",
        "taken": taken,
        "over": over,
    }


def _strong(name: str) -> SafeString:
    return format_html("<strong>{}</strong>", name)


def _clock(at: datetime, read_by: Reader, form: Literal["short", "medium"] = "short") -> str:
    return str(dates.format_time(at, form, tzinfo=ZoneInfo(read_by.zone), locale=read_by.locale))


def _day(at: datetime, read_by: Reader) -> str:
    return str(dates.format_date(at.astimezone(ZoneInfo(read_by.zone)), "full", read_by.locale))


def _page(request: HttpRequest, facts: dict[str, Any], *, status: int = 200) -> HttpResponse:
    context = {**facts, "language": facts["words"]["language"]}
    shown = render(request, "notifications/acknowledge.html", context, status=status)
    for name, value in HEADERS.items():
        shown[name] = value
    return shown
