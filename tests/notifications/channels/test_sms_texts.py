"""What a text message says: at most three segments, its links whole, as phones count them."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.models import Delivery
from notifications import links
from notifications.channels.registry import CHANNELS
from notifications.channels.sms import layout, segments
from notifications.incidents import opening
from notifications.wording import Content, Fact
from notifications.wording.languages import LANGUAGES, vocabulary
from sandbox.services.twilio.segments import encoding_of, segments_of
from tests.notifications.channels.test_messages import EVIL, EXAMPLES, delivery
from wedsync.ids import new_id
from wedsync.live.event_types.catalogue import CATALOGUE

pytestmark = pytest.mark.django_db
GALLERY = "https://gallery.example/anna-and-ben/3f9a"
FILLED = partial(links.fill, delivery=Delivery(id=new_id()))


def content(headline: str, *facts: str, **rest: Any) -> Content:
    words = vocabulary(rest.get("language", "en"))["layout"]
    given = {"couple": "Anna & Ben", "wedding_date": "19 June", "venue": "Seehof", "recipient": "Mia", "words": words}
    return Content(headline, tuple(Fact(*fact.split(": ", 1)) for fact in facts), **{**given, **rest})


def as_sent(row: Delivery) -> str:
    body = links.fill(CHANNELS["sms"].render(row).body, row)
    text: str = json.loads(body)["Body"]
    return text


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("event_type", CATALOGUE)
def test_every_type_is_told_in_every_language_in_three_segments_with_its_links_whole(
    event_type: str, locale: str
) -> None:
    payload = {**EXAMPLES[event_type], **({"gallery_url": GALLERY} if event_type.startswith("gallery.") else {})}
    row = delivery(event_type, payload, "sms", priority="urgent")
    assert row.contact is not None
    row.contact.locale = locale

    text = as_sent(row)

    assert segments_of(text) <= 3
    assert not any(mark in text for mark in ("None", "Undefined", "{%", ".invalid"))
    expected = {
        opening.WEDDING_UNKNOWN: f"/emergency/{links.wedding_token(row.id)}/",
        "gallery.ready": GALLERY,
        "gallery.delivered": GALLERY,
    }
    assert expected.get(event_type, "") in text.splitlines()[-1]


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize(
    "said", ["short", "long", EVIL, "ñandú ção " * 40, "🔥" * 200, "Žofie Šťastná " * 60, "שלום " * 90]
)
def test_an_emergency_keeps_its_link_whole_whatever_was_reported(locale: str, said: str) -> None:
    words = vocabulary(locale)["layout"]
    told = content(
        "EMERGENCY at Seehof: fire", f"What happened: {said}", "Call: +43 660 1234567", language=locale, asks=True
    )

    text = layout.text_of(told, FILLED)

    filled = FILLED(text)
    assert segments_of(filled) <= segments.MOST
    assert text.splitlines()[-1].endswith(links.ACKNOWLEDGE_URL)
    assert words["acknowledge"].split()[0] in text.splitlines()[-1]
    assert "+43 660 1234567" in text
    assert text.startswith("EMERGENCY at Seehof: fire")


def test_a_text_that_fits_keeps_its_accents() -> None:
    text = layout.text_of(content("Čeká vás změna: obřad v 16:00", couple=""), FILLED)

    assert text.startswith("Čeká vás změna: obřad v 16:00")
    assert segments.encoding(text) == "UCS-2"


def test_a_text_that_does_not_fit_is_written_without_the_accents_that_cost() -> None:
    text = layout.text_of(content("Notícia", "Descrição: " + "a celebração começa às 16 horas " * 9), FILLED)

    assert segments.is_gsm(text)
    assert text.startswith("Noticia\nDescricao: a celebracao comeca às 16 horas")
    assert segments.count(text) <= 3


def test_typographic_signs_cost_nothing() -> None:
    text = layout.text_of(content("“Anna’s” venue – now…", couple=""), FILLED)

    assert text.startswith('"Anna\'s" venue - now...')
    assert segments.is_gsm(text)


def test_a_link_that_would_leave_no_room_is_left_out_and_never_cut() -> None:
    url = f"https://gallery.example/{'x' * 450}"
    text = layout.text_of(content("The gallery is ready", link=("Open the gallery", url)), FILLED)

    assert "gallery.example" not in text
    assert text.startswith("The gallery is ready")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=700))
def test_segments_are_counted_as_the_sandbox_counts_them(text: str) -> None:
    assert (segments.count(text), segments.encoding(text)) == (segments_of(text), encoding_of(text))


@given(st.text(max_size=200), st.lists(st.text(max_size=400), max_size=6), st.booleans())
def test_any_text_fits_with_its_link(headline: str, facts: list[str], asks: bool) -> None:
    told = content(headline.strip() or "x", asks=asks)
    told = Content(**{**vars(told), "facts": tuple(Fact("Label", fact) for fact in facts)})

    text = layout.text_of(told, FILLED)

    assert segments.count(FILLED(text)) <= segments.MOST
    assert text.endswith(links.ACKNOWLEDGE_URL) or not asks
