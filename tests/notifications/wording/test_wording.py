"""Every message in every language: whole, within each channel's limits, and written as its reader writes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from integrations.models import Delivery
from notifications.channels.registry import CHANNELS
from notifications.wording import Subject, write
from notifications.wording.languages import FILES, LANGUAGES, vocabulary
from sandbox.services.twilio.segments import segments_of
from tests.factories import ContactFactory, EventFactory, WeddingFactory
from tests.notifications.channels.test_messages import EVIL, EXAMPLES, delivery
from wedsync.live.event_types.catalogue import CATALOGUE
from wedsync.weddings.models import ContactChannel

pytestmark = pytest.mark.django_db
LOCALES = [*LANGUAGES, "de-AT", "en-US"]


def subject(event_type: str, locale: str = "en", payload: Any = None, **rest: Any) -> Subject:
    wedding = WeddingFactory(couple="Anna & Ben")
    event = EventFactory(
        organization=wedding.organization, wedding=wedding, type=event_type, payload=payload or EXAMPLES[event_type]
    )
    contact = ContactFactory(organization=wedding.organization, wedding=wedding, name="Mia", locale=locale)
    return Subject(event=event, contact=contact, channel=ContactChannel.EMAIL, **rest)


def test_each_language_has_every_text_and_every_word() -> None:
    assert set(LANGUAGES) == {"en", "de", "es", "fr"}
    files = {language: {path.name for path in (FILES / language).iterdir()} for language in LANGUAGES}
    assert all(names == files["en"] for names in files.values())
    assert {f"{name}.txt" for name in [*CATALOGUE, "digest", "fallback"]} | {"words.json"} == files["en"]
    for part in ("layout", "fields", "values"):
        assert all(vocabulary(language)[part].keys() == vocabulary("en")[part].keys() for language in LANGUAGES)


def rendered(row: Delivery) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(CHANNELS[row.channel].render(row).body)
    return body


def check_limits(channel: str, body: dict[str, Any], row: Delivery) -> None:
    said = json.dumps(body, ensure_ascii=False).replace(body.get("notification", {}).get("tag", "-"), "")
    assert not any(mark in said for mark in ("None", "Undefined", "{%", "|word")), said[:500]
    if channel == "whatsapp":
        parameters = [each["text"] for each in body["template"]["components"][0]["parameters"]]
        assert all(text and not any(mark in text for mark in "\n\t") and "     " not in text for text in parameters)
        assert len(row.message.text) <= 1024
    elif channel == "sms":
        assert segments_of(body["Body"]) <= 3
    elif channel == "web_push":
        assert len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()) <= 3072
        assert body["notification"]["title"]
    elif channel == "slack":
        assert len(body["blocks"]) <= 50
        assert len(body["blocks"][0]["text"]["text"]) <= 150
        for block in body["blocks"]:
            assert all(len(field["text"]) <= 2000 for field in block.get("fields", []))
            assert len(block.get("fields", [])) <= 10
            if block["type"] == "section" and "text" in block:
                assert len(block["text"]["text"]) <= 3000
    else:
        assert len(body["subject"]) <= 250
        assert "\n" not in body["subject"]
        assert len(body["html"].encode()) < 100_000
        assert body["text"].strip()


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("locale", LOCALES)
def test_every_type_can_be_told_in_every_language_within_the_limits_of_each_channel(channel: str, locale: str) -> None:
    row = delivery("timeline.updated", EXAMPLES["timeline.updated"], channel)
    if row.contact:
        row.contact.locale = locale
    for event_type in CATALOGUE:
        row.event.type, row.event.payload = event_type, EXAMPLES[event_type]
        check_limits(channel, rendered(row), row)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_texts_of_a_language_are_its_own(language: str) -> None:
    said = {name: write(subject(name, language)) for name in CATALOGUE}
    assert {content.language for content in said.values()} == {language}
    if language != "en":
        english = {name: write(subject(name, "en")).headline for name in CATALOGUE}
        assert all(said[name].headline != english[name] for name in CATALOGUE)


@pytest.mark.parametrize(
    ("locale", "one", "many"),
    [
        ("en", "1 guest at", "2 guests at"),
        ("de", "1 Gast bei", "2 Gäste bei"),
        ("es", "1 invitado en", "2 invitados en"),
        ("fr", "1 invité au", "2 invités au"),
    ],
)
def test_numbers_have_their_plural(locale: str, one: str, many: str) -> None:
    for count, begins in ((1, one), (2, many)):
        content = write(subject("guest_count.changed", locale, {"guest_count": count, "previous": 5}))
        assert content.headline.startswith(begins)
    if locale == "fr":
        nobody = write(subject("guest_count.changed", locale, {"guest_count": 0, "previous": 5}))
        assert nobody.headline.startswith("0 invité au")


@pytest.mark.parametrize(
    ("locale", "day", "money"),
    [
        ("de-AT", "Samstag, 26. Juni 2027", "120,50"),
        ("en-US", "Saturday, June 26, 2027", "€120.50"),
        ("en", "Saturday, 26 June 2027", "€120.50"),
        ("es", "sábado, 26 de junio de 2027", "120,50"),
        ("fr", "samedi 26 juin 2027", "120,50"),
        ("pt-BR", "Saturday, 26 June 2027", "€120.50"),
    ],
)
def test_dates_and_amounts_are_written_as_the_reader_does(locale: str, day: str, money: str) -> None:
    assert day in write(subject("wedding.date_changed", locale)).text
    assert money in write(subject("payment.received", locale)).text


def test_times_are_the_venues_with_its_zone_named() -> None:
    payload = {"starts_at": "2027-06-19T06:00:00+00:00", "requirements": "12 tables"}

    content = write(subject("venue.setup_scheduled", "de", payload))

    assert "08:00 (Europe/Vienna)" in content.text
    assert "(Europe/Vienna)" in write(subject("timeline.updated", "fr")).text


@pytest.mark.parametrize(
    ("language", "count", "more"),
    [
        ("en", "5 updates", "and 2 more"),
        ("de", "5 Neuigkeiten", "und 2 weitere"),
        ("es", "5 novedades", "y 2 más"),
        ("fr", "5 nouveautés", "et 2 autres"),
    ],
)
def test_a_digest_says_how_many_names_three_and_counts_the_rest(language: str, count: str, more: str) -> None:
    one = subject("gallery.ready", language)
    events = tuple(
        EventFactory(
            organization=one.event.organization, wedding=one.event.wedding, type="journey.milestone_reached",
            payload={"milestone": f"Step {number}", "progress": 20 * number},
        )
        for number in range(5)
    )  # fmt: skip

    content = write(replace(one, digest=events))

    assert content.headline.startswith(count)
    assert more in content.text
    assert [f"Step {number}" in content.text for number in range(5)] == [False, False, True, True, True]


def test_a_drill_and_an_escalation_say_so() -> None:
    drill = write(subject("incident.drill_started", "de", drill=True, asks=True))
    again = write(subject("venue.emergency_reported", "es", escalated=True))

    assert drill.headline.startswith("ÜBUNG: ")
    assert again.words["not_acknowledged"] in again.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_words_stay_words_in_every_language(language: str) -> None:
    payload = {"kind": "fire", "description": EVIL, "reported_by": "שלום 🎉", "contact_phone": EVIL[:200]}

    content = write(subject("venue.emergency_reported", language, payload))

    assert "{{7*7}}" in content.text
    assert "49" not in content.text
    assert "<script>" in content.text, "a channel escapes it, and nobody takes it out"
    assert all(len(fact.value) <= 10_000 and "\n" not in fact.value for fact in content.facts)
    assert "\u2068" in content.text, "what runs from right to left stays by itself"


@pytest.mark.parametrize(
    ("event_type", "payload", "holds"),
    [
        ("form.submitted", {"form_id": "0198", "answers": {f"q{n}": "x" * 10_000 for n in range(20)}}, "Q19: xx"),
        (
            "timeline.updated",
            {"changes": [{"field": f"dj_{n}", "before": "a" * 10_000, "after": "b"} for n in range(100)]},
            "Dj 99: aa",
        ),
        ("system.health_changed", {**EXAMPLES["system.health_changed"], "why": ["x" * 10_000] * 20}, "xxx"),
    ],
)
def test_a_very_large_payload_keeps_its_own_words(event_type: str, payload: Any, holds: str) -> None:
    content = write(subject(event_type, "en", payload))

    assert holds in content.text
    assert not content.headline.startswith("Update on")


@pytest.mark.parametrize(
    ("locale", "words"), [("en", "not given"), ("de", "nicht angegeben"), ("fr", "non indiqué"), ("es", "no indicado")]
)
@pytest.mark.parametrize(
    "payload", [{}, {"kind": "", "description": " "}, {"extra": {}}], ids=["nothing", "blank", "extra"]
)
def test_what_an_emergency_does_not_say_reads_as_not_given(locale: str, words: str, payload: dict[str, Any]) -> None:
    told = write(subject("venue.emergency_reported", locale, payload or {"extra": {}}))

    assert words in told.headline
    assert [fact.value for fact in told.facts].count(words) == 2
    further = {**payload, "further": ["emergency (booking B-4): not given", "fire: Smoke"]}
    values = [fact.value for fact in write(subject("venue.emergency_reported", locale, further)).facts]
    assert [f"emergency (booking B-4): {words}", "fire: Smoke"] == [value for value in values if ": " in value]
    resolved = {"incident_id": "x", "kind": "", "description": "", "resolved_by": "Eva"}
    assert words in write(subject("incident.resolved", locale, resolved)).headline


def blanked(value: Any) -> Any:
    """The same payload with nothing in its texts."""
    if isinstance(value, dict):
        return {name: blanked(each) for name, each in value.items()}
    if isinstance(value, list):
        return [blanked(each) for each in value]
    return " " if isinstance(value, str) else value


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("left", ["blank", "nothing"])
def test_no_line_ends_in_a_colon_and_nothing(channel: str, language: str, left: str) -> None:
    row = delivery("timeline.updated", EXAMPLES["timeline.updated"], channel)
    row.event.wedding.venue_name = ""
    if row.contact:
        row.contact.locale = language
    for event_type in CATALOGUE:
        row.event.type = event_type
        row.event.payload = blanked(EXAMPLES[event_type]) if left == "blank" else {"extra": {}}
        for content in (
            write(Subject(row.event, row.contact, ContactChannel(channel))),
            write(subject_of(row, language)),
        ):
            assert not [fact.line for fact in content.facts if fact.line.endswith(":")], event_type
            assert not content.headline.endswith(":"), event_type
        assert not re.search(r':[*_ ]*(\\n|")(?!:)', json.dumps(list(texts(rendered(row))))), event_type


def subject_of(row: Delivery, language: str) -> Subject:
    """The same to somebody who reads this language: Slack's readers are staff."""
    return Subject(row.event, ContactFactory(organization=row.organization, locale=language), ContactChannel.EMAIL)


def texts(body: Any) -> Iterator[str]:
    """Every text of a request's body."""
    if isinstance(body, dict):
        body = list(body.values())
    if isinstance(body, list):
        for each in body:
            yield from texts(each)
    elif isinstance(body, str):
        yield body


def test_an_amount_is_told_whole_in_any_currency() -> None:
    payment = {"amount": "1200.505", "currency": "KWD", "reference": "R"}

    assert "1,200.505" in write(subject("payment.received", "en", payment)).text
    assert "1.505" in write(subject("payment.received", "en", {**payment, "amount": "1.505", "currency": "IQD"})).text
    assert "¥1,200" in write(subject("payment.received", "en", {**payment, "amount": "1200", "currency": "JPY"})).text
