"""What is left of a text message that is too long: the headline, the number to call, what happened, whole links."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.models import Delivery
from notifications import links
from notifications.channels.registry import CHANNELS
from notifications.channels.sms import layout, segments
from notifications.wording import Content, Fact
from notifications.wording.languages import FILES, LANGUAGES, vocabulary
from sandbox.services.twilio.segments import encoding_of, segments_of
from tests.notifications.channels.test_messages import EXAMPLES, delivery
from wedsync.ids import new_id
from wedsync.live.event_types.catalogue import CATALOGUE

FILLED = partial(links.fill, delivery=Delivery(id=new_id()))
NUMBER = "+43 664 1234567"
HEADLINE = "EMERGENCY at Seehof: fire"
WEDDING_LINK = ("Choose the wedding", links.WEDDING_URL)
SCRIPTS = {
    "Latin": "Anna Šťastná, the hall is on fire ",
    "Cyrillic": "Пожар в главном зале, гости выходят ",
    "Greek": "Φωτιά στην αίθουσα, οι καλεσμένοι φεύγουν ",
    "Hindi": "आग लग गई है, कृपया तुरंत संपर्क करें ",
    "Chinese": "大厅着火了，客人正在离开",
    "emoji": "Fire 🔥👩‍👩‍👧👍🏽🇦🇹 in the hall ",
}


def told(*facts: str, headline: str = HEADLINE, **rest: Any) -> Content:
    words = vocabulary(rest.get("language", "en"))["layout"]
    split = tuple(Fact(*fact.split(": ", 1)) for fact in facts)
    return Content(headline, split, "Anna & Ben", "19 June", "Seehof", "Mia", words=words, **rest)


def emergency(said: str, reporter: str = "Ivan", **rest: Any) -> str:
    facts = (f"What happened: {said}", f"Reported by: {reporter}", f"Call: {NUMBER}", "Wedding: Anna & Ben, 19 June")
    return FILLED(layout.text_of(told(*facts, **rest), FILLED))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("escalated", [False, True])
@pytest.mark.parametrize("link", [None, WEDDING_LINK])
@pytest.mark.parametrize("script", SCRIPTS)
def test_an_emergency_says_where_what_and_whom_to_call_in_every_script(
    script: str, link: tuple[str, str] | None, escalated: bool, language: str
) -> None:
    text = emergency(SCRIPTS[script] * 20, asks=True, link=link, escalated=escalated, language=language)

    assert segments_of(text) <= 3
    assert text.startswith(HEADLINE)
    assert NUMBER in text
    written = segments.readable if encoding_of(text) == "UCS-2" else segments.unaccented
    assert written(SCRIPTS[script])[:15] in text
    assert FILLED(links.ACKNOWLEDGE_URL) in text


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.django_db
def test_every_type_keeps_its_headline_and_a_whole_number_to_call_whatever_the_names(script: str, locale: str) -> None:
    for event_type in CATALOGUE:
        payload = {
            name: SCRIPTS[script] * 5 if name in ("description", "reported_by", "notes", "by", "reason") else value
            for name, value in EXAMPLES[event_type].items()
        }
        calls = event_type in ("venue.emergency_reported", "incident.wedding_unknown")
        row = delivery(
            event_type, {**payload, **({"contact_phone": NUMBER} if calls else {})}, "sms", priority="urgent"
        )
        assert row.contact is not None
        row.contact.locale = locale

        text = json.loads(links.fill(CHANNELS["sms"].render(row).body, row))["Body"]

        assert segments_of(text) <= 3
        assert len(text.splitlines()[0]) >= 12
        assert (NUMBER in text) is calls, text
        for url in re.findall(r"http\S*", text):
            assert url.endswith("/") or url in str(payload)


@pytest.mark.parametrize("times", [1, 60, 300])
def test_a_description_of_emoji_alone_leaves_no_label_without_words(times: int) -> None:
    text = emergency("🔥" * times)

    assert segments_of(text) <= 3
    assert not [line for line in text.splitlines() if line.endswith(":")]
    assert ("🔥" in text) is (times == 1)
    assert NUMBER in text


@given(
    st.sampled_from(list(SCRIPTS)),
    st.lists(st.sampled_from(list(SCRIPTS)), max_size=6),
    st.integers(1, 30),
    st.booleans(),
    st.sampled_from([None, WEDDING_LINK, ("Open", f"https://g.example/{'x' * 300}")]),
)
def test_numbers_and_links_are_whole_or_absent(
    named: str, scripts: list[str], times: int, asks: bool, link: tuple[str, str] | None
) -> None:
    facts = [f"Note: {SCRIPTS[script] * times}" for script in scripts]
    given_ = told(*facts, f"Call: {NUMBER}", headline=f"Fire at {SCRIPTS[named]}", asks=asks, link=link)

    text = FILLED(layout.text_of(given_, FILLED))

    assert segments_of(text) <= 3
    assert text.startswith("Fire at ")
    assert NUMBER in text
    assert not asks or FILLED(links.ACKNOWLEDGE_URL) in text
    assert link is None or FILLED(link[1]) in text or link[1][:20] not in text


def test_facts_of_less_weight_go_first_and_the_second_link_next() -> None:
    text = emergency(SCRIPTS["Cyrillic"] * 3, link=WEDDING_LINK, asks=True)

    assert "Reported by" not in text
    assert "Wedding:" not in text
    assert FILLED(links.WEDDING_URL) not in text


def test_one_name_in_another_script_does_not_shorten_the_rest() -> None:
    text = emergency("The hall is on fire. " * 8, "Иван", asks=True)

    assert encoding_of(text) == "GSM-7"
    assert text.count("The hall is on fire.") == 8
    assert "Wedding: Anna & Ben" in text


@pytest.mark.parametrize("said", ["Please call +43 664 1234567 now " * 30, "a" * 30 + " +43 664 1234567 " * 40])
@pytest.mark.parametrize("reporter", ["Ivan", "Иван"])
def test_a_number_within_a_text_is_not_cut_either(said: str, reporter: str) -> None:
    text = FILLED(layout.text_of(told(f"Note: {said}", headline=f"News from {reporter}", asks=True), FILLED))

    shown = re.findall(r"\+[\d ]*\d", text.partition("http")[0])
    assert set(shown) <= {NUMBER}


@pytest.mark.parametrize("number", ["112", "the switchboard, then the back office, or who hears: +43 664 1234567"])
@pytest.mark.django_db
def test_what_the_report_says_to_call_counts_whatever_it_looks_like(number: str) -> None:
    said = {"kind": "fire", "description": SCRIPTS["Cyrillic"] * 9, "reported_by": "Ivan", "contact_phone": number}
    row = delivery("venue.emergency_reported", said, "sms", priority="urgent")

    text = json.loads(CHANNELS["sms"].render(row).body)["Body"]

    assert (NUMBER if NUMBER in number else number) in text


@pytest.mark.parametrize("word", ["कृपया", "ที่นี่", "שָׁלוֹם", "مَرْحَبًا", "می‌خواهم"])
def test_letters_of_other_scripts_keep_their_marks(word: str) -> None:
    text = layout.text_of(told(f"Note: {f'{word} 🔥 ' * 90}"), FILLED)

    assert segments.count(text) == 3
    assert text.count(word) > 10
    assert "🔥" not in text


def test_arrows_cost_nothing() -> None:
    text = layout.text_of(told("Ceremony: 15:00 → 16:00"), FILLED)

    assert "15:00 -> 16:00" in text
    assert segments.is_gsm(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_our_own_words_need_no_other_character_than_their_language_has(language: str) -> None:
    for file in (FILES / language).iterdir():
        assert segments.is_gsm(segments.unaccented(file.read_text(encoding="utf-8"))), file
        needless = {each for each in segments.plain(file.read_text(encoding="utf-8")) if not segments.is_gsm(each)}
        assert not {each for each in needless if not each.isalpha()}, file
