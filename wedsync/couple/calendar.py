"""The wedding as a calendar that programs subscribe to (RFC 5545), behind a link of its own.

The same times give the same bytes: ``DTSTAMP`` and ``SEQUENCE`` follow the last change, not the clock.
https://icalendar.readthedocs.io
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import parse_etags
from django.views.decorators.http import require_safe
from icalendar import Calendar, Event

from notifications.wording.languages import reader
from wedsync.couple.content import words
from wedsync.weddings import day, personal_links
from wedsync.weddings.models import PersonalLink, Wedding

PATH = "/couple/calendar/"
EVERY = timedelta(hours=1)
CEREMONY_LASTS = timedelta(hours=1)
_SHOWN = ("date", "ceremony_time", "reception_time", "reception_end", "venue_name")


def address_of(link: PersonalLink) -> str:
    """The ``https`` address of a link's calendar; programs also take it with ``webcal``."""
    return f"{settings.PUBLIC_URL}{PATH}{personal_links.token_of(link.id)}.ics"


@require_safe
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """The calendar of a token.

    Raises:
        Http404: the token is not that of a calendar which may be used.
    """
    link = _link(token)
    if link is None:
        raise Http404
    body = written(link.wedding, link.contact.locale)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    known = tag in parse_etags(request.headers.get("If-None-Match", ""))
    answer = HttpResponse(b"" if known else body, status=304 if known else 200)
    answer["Content-Type"] = "text/calendar; charset=utf-8"
    answer["Content-Disposition"] = 'inline; filename="wedding.ics"'
    answer["Cache-Control"] = "private, no-cache"
    answer["ETag"] = tag
    return answer


def _link(token: str) -> PersonalLink | None:
    try:
        asked = personal_links.with_token(token)
    except personal_links.BadToken:
        return None
    rows = personal_links.usable().filter(asked, purpose=PersonalLink.Purpose.CALENDAR)
    return rows.select_related("contact", "wedding").first()


def written(wedding: Wedding, locale: str) -> bytes:
    """The calendar in the language of a locale."""
    changed = _changed_at(wedding)
    made = Calendar()
    made.add("prodid", "-//WedSync//Wedding//EN")
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", _name_of(wedding))
    made.add("x-wr-timezone", wedding.timezone)
    made.add("refresh-interval", EVERY, {"value": "DURATION"})
    made.add("x-published-ttl", "PT1H")
    for name, begins, ends in _events(wedding):
        made.add_component(_event(wedding, name, begins, ends, locale, changed))
    made.add_missing_timezones()
    return bytes(made.to_ical())


def _name_of(wedding: Wedding) -> str:
    """The couple's name on one line, since a name with a line end cannot be written as a property's value."""
    return " ".join(wedding.couple.split())


def _events(wedding: Wedding) -> list[tuple[str, date, date]]:
    """Ceremony and reception, which never begins before it; the whole day where no time is set."""
    ceremony, reception = (_at(wedding, at) for at in (wedding.ceremony_time, wedding.reception_time))
    if ceremony and reception and reception < ceremony:
        reception += timedelta(days=1)
    found: list[tuple[str, date, date]] = []
    if ceremony:
        follows = reception is not None and ceremony < reception <= ceremony + 3 * CEREMONY_LASTS
        found.append(("ceremony_time", ceremony, reception if follows and reception else ceremony + CEREMONY_LASTS))
    if reception:
        found.append(("reception_time", reception, _end(wedding, reception)))
    return found or [("date", wedding.date, wedding.date + timedelta(days=1))]


def _end(wedding: Wedding, reception: datetime) -> datetime:
    end = day.reception_end(wedding)
    if end is None:
        return reception + 4 * CEREMONY_LASTS
    ends = end.astimezone(wedding.zone)
    return ends if ends > reception else ends + timedelta(days=1)


def _at(wedding: Wedding, at: time | None) -> datetime | None:
    return datetime.combine(wedding.date, at, wedding.zone) if at else None


def _event(wedding: Wedding, name: str, begins: date, ends: date, locale: str, changed: datetime) -> Event:
    read_by = reader(locale, wedding.timezone)
    title = words.words_of(read_by.language)["whole_day"] if name == "date" else read_by.field(name)
    made = Event()
    made.add("uid", f"{name.removesuffix('_time')}-{wedding.id}@wedsync")
    made.add("sequence", max(0, int((changed - wedding.created_at.replace(microsecond=0)).total_seconds())))
    made.add("dtstamp", changed)
    made.add("last-modified", changed)
    made.add("dtstart", begins)
    made.add("dtend", ends)
    made.add("summary", f"{title}: {_name_of(wedding)}")
    made.add("status", "CONFIRMED")
    if wedding.venue_name:
        made.add("location", wedding.venue_name)
    return made


def _changed_at(wedding: Wedding) -> datetime:
    """When one of the values that a calendar shows last changed, by the facts' own times; it never goes back."""
    times = [datetime.fromisoformat(str(at)) for name in _SHOWN if (at := wedding.field_changed_at.get(name))]
    return max([wedding.created_at, *times]).astimezone(UTC).replace(microsecond=0)
