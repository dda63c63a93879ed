"""Writes the content of a message: chooses a template and its language, and fills it in."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

import structlog

from integrations.rules.facts import facts_of
from notifications import links
from notifications.wording import engine, filters, own
from notifications.wording.content import Content, Fact, Subject
from notifications.wording.languages import FILES, Reader, chain, reader
from notifications.wording.letters import cut, tidy
from wedsync.live.event_types.catalogue import CATALOGUE, EMERGENCY, LINK_REQUESTED
from wedsync.live.event_types.payloads import is_blank
from wedsync.live.models import ChannelEvent
from wedsync.templating.filters import CannotRender, weigh
from wedsync.weddings import personal_links
from wedsync.weddings.models import Contact, Wedding

log = structlog.get_logger(__name__)
FALLBACK, DIGEST = "fallback", "digest"
LONGEST_HEADLINE, LONGEST_FACT, LONGEST_LABEL = 250, 10_000, 40
LARGEST_PAYLOAD, MOST_ENTRIES = 32_000, 100  # characters and values; entries of one list or object
# What readers ask first, and what a sender in a hurry may have left out.
_ASKED_OF = {EMERGENCY: ("kind", "description", "reported_by"), "incident.resolved": ("kind", "description")}
TOP = 3
"""How many events a digest names."""


def write(subject: Subject) -> Content:
    """The content of a message, in the reader's language where there are words for it, else in English.

    An organization's own template that fails is skipped: no message is lost because of its wording.

    Raises:
        ValueError: an event about no wedding that is not for staff.
    """
    event, contact = subject.event, subject.contact
    wedding = event.wedding
    if wedding is None and (event.type not in CATALOGUE or not CATALOGUE[event.type].is_ours):
        raise ValueError("an event without a wedding has no readers")
    locale = contact.locale if contact else "en"
    zone = wedding.timezone if wedding else "UTC"
    name = DIGEST if subject.digest else event.type
    lines, read_by = _rendered(subject, name, locale, zone)
    page = _couple_page(event, contact, read_by)
    headline = f"{read_by.words['drill_mark']}: {lines[0]}" if subject.drill else lines[0]
    return Content(
        headline=cut(headline, LONGEST_HEADLINE),
        facts=tuple(_to_call(_fact(line), event) for line in lines[1:]),
        **_of_wedding(wedding, read_by),
        recipient=tidy(contact.name) if contact else "",
        language=read_by.language,
        words=read_by.words,
        asks=subject.asks,
        drill=subject.drill,
        escalated=subject.escalated,
        link=page if event.type == LINK_REQUESTED else _link(event, read_by),
        couple_page=None if event.type == LINK_REQUESTED else page,
    )


def _of_wedding(wedding: Wedding | None, read_by: Reader) -> dict[str, str]:
    if wedding is None:
        return {"couple": "", "wedding_date": "", "venue": ""}
    with filters.read_by(read_by):
        shown = filters.day(wedding.date)
    return {"couple": tidy(wedding.couple), "wedding_date": shown, "venue": tidy(wedding.venue_name)}


def _rendered(subject: Subject, name: str, locale: str, zone: str) -> tuple[list[str], Reader]:
    """The lines of the first template that can be rendered, and the reader they are written for."""
    reason = "there are none"
    for source, language, own_one in _candidates(subject, name, locale):
        read_by = reader(locale, zone, language)
        try:
            lines = engine.lines(source, facts_for(subject, read_by), read_by)
            return (lines if own_one else [_with_value(line, read_by) for line in lines]), read_by
        except CannotRender as error:
            reason = str(error)
            organization = str(subject.event.organization_id)
            log.warning("template_failed", name=name, own=own_one, organization=organization, reason=reason)
    raise CannotRender(f"no template for {name} can be rendered: {reason}")


def _with_value(line: str, read_by: Reader) -> str:
    """A label without a value gets “not given”. In an organization's own template it may be a heading, and stays."""
    return f"{line} {read_by.words['not_given']}" if line.endswith(":") and ": " not in line else line


def _candidates(subject: Subject, name: str, locale: str) -> Iterator[tuple[str, str, bool]]:
    """Templates in order of precedence: source, language, whether it is the organization's own."""
    if (tried := own.on_trial(name, FALLBACK)) is not None:
        yield tried, locale.split("-")[0], True
        return
    mine = own.templates(subject.event.organization_id, name)
    for tag in chain(locale):
        for channel in (str(subject.channel), ""):
            if source := mine.get((tag, channel)):
                yield source, tag.split("-")[0], True
        for file in (f"{name}.{subject.channel}", name):
            if source := shipped(tag, file):
                yield source, tag, False
    mine = own.templates(subject.event.organization_id, FALLBACK)
    for tag in chain(locale):
        for channel in (str(subject.channel), ""):
            if source := mine.get((tag, channel)):
                yield source, tag.split("-")[0], True
        if source := shipped(tag, FALLBACK):
            yield source, tag, False


@cache
def shipped(language: str, name: str) -> str:
    """A shipped template's source; empty where there is none."""
    path = FILES / language / f"{name}.txt"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def facts_for(subject: Subject, read_by: Reader) -> dict[str, Any]:
    """What a template can use: ``payload``, ``event``, ``wedding``, ``contact``; in a digest ``count, top, more``."""
    facts: dict[str, Any] = facts_of(subject.event)
    not_given = dict.fromkeys(
        (name for name in _ASKED_OF.get(subject.event.type, ()) if is_blank(facts["payload"].get(name))),
        read_by.words["not_given"],
    )
    facts["payload"] = fitting({**facts["payload"], **not_given})
    if further := facts["payload"].get("further"):
        facts["payload"]["further"] = [_in_words(line, read_by) for line in further]
    contact = subject.contact
    facts["contact"] = {"name": contact.name, "role": contact.role} if contact else None
    if subject.digest:
        top = [_headline(event, subject, read_by) for event in subject.digest[-TOP:]]
        facts |= {"count": len(subject.digest), "top": top, "more": len(subject.digest) - len(top)}
    return facts


def _in_words(line: Any, read_by: Reader) -> Any:
    """A further report; one without a description says so in the reader's language."""
    end = f": {reader('en', read_by.zone, 'en').words['not_given']}"
    if not isinstance(line, str) or not line.endswith(end):
        return line
    return f"{line.removesuffix(end)}: {read_by.words['not_given']}"


def fitting(payload: Any) -> Any:
    """A payload that a template can be filled with: where it is very large, its texts are cut and its lists shortened.

    Otherwise the whole template would fail, and with it what is short and important.
    """
    for limit in (LONGEST_FACT, 2_000, 300, 60):
        shortened = _shortened(payload, limit)
        with suppress(CannotRender):  # larger than any value may be
            if weigh(shortened) < LARGEST_PAYLOAD:
                return shortened
    return shortened


def _shortened(value: Any, limit: int) -> Any:
    if isinstance(value, str):
        return cut(value, limit)
    if isinstance(value, Mapping):
        return {name: _shortened(each, limit) for name, each in list(value.items())[:MOST_ENTRIES]}
    if isinstance(value, list):
        return [_shortened(each, limit) for each in value[:MOST_ENTRIES]]
    return value


def _headline(event: ChannelEvent, subject: Subject, read_by: Reader) -> str:
    alone = replace(subject, event=event, digest=())
    locale = subject.contact.locale if subject.contact else "en"
    lines, _ = _rendered(alone, event.type, locale, read_by.zone)
    return lines[0]


def _link(event: ChannelEvent, read_by: Reader) -> tuple[str, str] | None:
    if event.type == "incident.wedding_unknown":
        return read_by.words["choose_wedding"], links.WEDDING_URL
    url = event.payload.get("gallery_url") if event.type.startswith("gallery.") else None
    return (read_by.words["open_gallery"], url) if isinstance(url, str) and url.startswith("https://") else None


def _couple_page(event: ChannelEvent, contact: Contact | None, read_by: Reader) -> tuple[str, str] | None:
    if contact is None or contact.role not in personal_links.READERS or contact.wedding_id != event.wedding_id:
        return None
    return read_by.words["open_couple_page"], links.COUPLE_URL


def reworded(content: Content, words: Mapping[str, str]) -> Content:
    """The content with a route's own ``headline`` and ``text``, where it has them; one fact for each line."""
    headline = cut(tidy(words.get("headline", "")), LONGEST_HEADLINE) or content.headline
    if "text" not in words:
        return replace(content, headline=headline)
    lines = [tidy(line) for line in words["text"].splitlines()]
    return replace(content, headline=headline, facts=tuple(_fact(line) for line in lines if line))


def _to_call(fact: Fact, event: ChannelEvent) -> Fact:
    """The fact, marked if its value is the number that the event says to call."""
    number = event.payload.get("contact_phone")
    return replace(fact, calls=isinstance(number, str) and bool(fact.value) and fact.value == tidy(number))


def _fact(line: str) -> Fact:
    label, separator, value = line.partition(": ")
    if separator and len(label) <= LONGEST_LABEL:
        colon = "\u00a0: " if label.endswith(" ") else separator  # French puts a space before it
        return Fact(label.rstrip(), cut(value, LONGEST_FACT), colon)
    return Fact("", cut(line, LONGEST_FACT))
