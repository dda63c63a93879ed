"""What a mail client can be trusted with: nothing that runs, loads, hides the text, or is cut off."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest

from integrations.models import Delivery
from notifications import links
from notifications.channels.email import calling, layout
from notifications.channels.email.calling import Number
from notifications.channels.email.layout import Look
from notifications.wording import Content, Fact
from tests.factories import ContactFactory
from tests.notifications.channels.mails import delivery

EVIL = "<script>alert(1)</script> <img src=x onerror=y> \" ' & {{7*7}} <!channel> "
RTL = "שלום לכולם, הטקס נדחה"
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "div", "table", "tbody", "tr", "td", "p", "h1", "a", "bdi", "br",
}  # fmt: skip
GMAIL_CUTS_AT = 100 * 1024


def content(**rest: Any) -> Content:
    usual: dict[str, Any] = {
        "headline": "The ceremony begins at 16:00",
        "facts": (Fact("Ceremony", "15:00 → 16:00"), Fact("", "Please tell your guests.")),
        "couple": "Anna & Ben",
        "wedding_date": "Saturday 19 June 2027",
        "venue": "Seehof",
        "recipient": "Anna",
    }
    return Content(**(usual | rest))


LOOKS: dict[str, tuple[Content, Look]] = {
    "a change": (content(), Look(leaving=True)),
    "an emergency": (
        content(headline="EMERGENCY at Seehof: power outage", asks=True, escalated=True),
        Look(urgent=True, numbers=(Number("Tom <b>", "+436601234567"),)),
    ),
    "a drill": (content(drill=True, asks=True), Look(urgent=True)),
    "staff": (content(couple="", wedding_date="", venue="", recipient=""), Look()),
    "a digest": (
        content(facts=tuple(Fact("", f"Change {n}") for n in range(40)), link=("All of them", "https://hub.example/w")),
        Look(leaving=True),
    ),
    "hostile": (
        content(headline=EVIL, facts=(Fact(EVIL, EVIL + "x" * 10_000),), couple=EVIL, venue=EVIL, recipient=EVIL),
        Look(urgent=True, numbers=(Number(EVIL, "+436601234567"),)),
    ),
    "hostile and long": (content(facts=tuple(Fact("<", "<&>" * 10_000) for _ in range(30))), Look(leaving=True)),
    "very many facts": (content(facts=tuple(Fact("a", "b") for _ in range(5000))), Look(leaving=True)),
    "a dangerous link": (content(link=("Look", "javascript:alert(1)")), Look()),
    "right to left": (
        content(headline=RTL, facts=(Fact("", RTL),), language="he", words={"unsubscribe": RTL}),
        Look(leaving=True),
    ),
}
every_look = pytest.mark.parametrize("name", LOOKS)


class Lint(HTMLParser):
    """Reads a mail as a client does, and notes what none should meet."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.text: list[str] = []
        self.styles: list[str] = []
        self.hrefs: list[str] = []
        self.rules = ""
        self._in = ""
        self.attributes: dict[str, dict[str, str | None]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in, found = tag, dict(attrs)
        self.attributes.setdefault(tag, found)
        if tag not in ALLOWED:
            self.wrong.append(f"<{tag}>")
        self.wrong += [f"{name} at <{tag}>" for name in found if name.startswith("on") or name in {"src", "background"}]
        if "style" in found:
            self.styles.append(found["style"] or "")
        if tag == "a":
            self.hrefs.append(found.get("href") or "")
        if tag == "table" and found.get("role") != "presentation":
            self.wrong.append("a table of layout that is read out as one")

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in == "style":
            self.rules += data
        elif data.strip():
            self.text.append(data)


def lint(html: str) -> Lint:
    found = Lint()
    found.feed(html)
    return found


@every_look
def test_a_mail_holds_nothing_that_runs_loads_or_leads_elsewhere(name: str) -> None:
    found = lint(layout.html(*LOOKS[name]))

    assert found.wrong == []
    for style in (*found.styles, found.rules):
        assert not re.search(r"url\(|@import|position\s*:|expression|behavior|javascript|float\s*:", style, re.I)
    for href in found.hrefs:
        ours = href in {links.ACKNOWLEDGE_URL, links.UNSUBSCRIBE_URL}
        assert ours or urlsplit(href).scheme in {"https", "mailto"} or re.fullmatch(r"tel:\+[0-9]{6,15}", href)


@every_look
def test_a_mail_is_not_cut_off_and_fits_a_telephone(name: str) -> None:
    html = layout.html(*LOOKS[name])

    assert len(html.encode()) < GMAIL_CUTS_AT
    widths = re.findall(r"[^-](?:min-)?width:\s*([0-9]+)px", html) + re.findall(r'width="([0-9]+)"', html)
    assert all(int(width) <= 360 for width in widths)
    assert "max-width: 560px" in html
    assert 'name="viewport"' in html


@every_look
def test_a_mail_says_its_language_and_how_it_looks_in_the_dark(name: str) -> None:
    written, look = LOOKS[name]
    found = lint(layout.html(written, look))

    assert found.attributes["html"]["lang"] == written.language
    assert found.attributes["html"]["dir"] == ("rtl" if written.language == "he" else "ltr")
    assert "prefers-color-scheme: dark" in found.rules
    assert "!important" in found.rules
    assert "background-color: #ffffff" in " ".join(found.styles)
    assert 'content="light dark"' in layout.html(written, look)


@every_look
def test_the_text_says_what_the_html_says(name: str) -> None:
    written, look = LOOKS[name]
    html, text = " ".join(lint(layout.html(written, look)).text), layout.text(written, look)

    assert written.headline.strip() in html
    assert written.headline in text
    assert "{{7*7}}" in text or EVIL not in written.headline, "what others wrote is never evaluated"
    assert all(each.phone in html and each.phone in text for each in look.numbers)
    assert (links.ACKNOWLEDGE_URL in text) == written.asks
    assert (links.UNSUBSCRIBE_URL in text) == look.leaving


def test_an_emergency_looks_like_one_and_can_be_acknowledged_and_called_about() -> None:
    urgent, usual = (lint(layout.html(*LOOKS[name])) for name in ("an emergency", "a change"))

    assert "#c0362c" in " ".join(urgent.styles)
    assert "#c0362c" not in " ".join(usual.styles)
    assert links.ACKNOWLEDGE_URL in urgent.hrefs
    assert "tel:+436601234567" in urgent.hrefs
    assert any("Nobody has confirmed" in text for text in urgent.text)
    assert links.ACKNOWLEDGE_URL not in usual.hrefs


def test_a_drill_says_that_it_is_one() -> None:
    written, look = LOOKS["a drill"]

    assert any("drill" in text for text in lint(layout.html(written, look)).text)
    assert layout.text(written, look).startswith("This is a drill")


def test_the_words_of_the_readers_language_replace_the_english_ones() -> None:
    written = content(words={"greeting": "Hallo", "unsubscribe": "Weniger davon"}, language="de")

    html = layout.html(written, Look(leaving=True))

    assert "Hallo <bdi>Anna" in html
    assert "Weniger davon" in html


@pytest.mark.django_db
def test_an_emergencys_mail_names_whom_to_call_but_not_the_reader_and_nobody_elses_people() -> None:
    row = delivery(
        type="venue.emergency_reported",
        payload={"kind": "fire", "description": "Smoke", "reported_by": "Tom", "contact_phone": "+43 660 1234567"},
        priority="urgent",
    )
    mine = {"organization": row.organization, "wedding": row.event.wedding}
    ContactFactory(**mine, name="Second", phone="+436601111112", call_order=2)
    ContactFactory(**mine, name="First", phone="+436601111111", call_order=1)
    ContactFactory(**mine, name="Uncalled", phone="+436601111113")
    ContactFactory(name="Stranger", phone="+436601111114", call_order=1)
    if row.contact:
        type(row.contact).objects.filter(id=row.contact.id).update(phone="+436601111115", call_order=3)

    found = calling.numbers(Delivery.objects.select_related("event").get(id=row.id))

    assert [(each.name, each.phone) for each in found] == [
        ("Tom", "+436601234567"),
        ("First", "+436601111111"),
        ("Second", "+436601111112"),
    ]
