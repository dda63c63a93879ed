"""The payload for browsers: within its limit at any length, valid JSON, its link whole, cut between characters."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from notifications.channels.web_push import payload
from notifications.wording import Content, Fact

LINK = "https://placeholder.invalid/"
ALPHABET = st.one_of(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")),
    st.sampled_from(["👩‍👩‍👧‍👦", "🇦🇹", "👍🏽", "e\u0301", '"', "\\", "é", "ß", "–", "婚", "ا"]),
)
TEXTS = st.lists(ALPHABET, max_size=60).map("".join)


def content(headline: str, lines: list[str], **more: Any) -> Content:
    facts = tuple(Fact("", line) for line in lines)
    given: dict[str, Any] = {"couple": "Anna & Ben", "wedding_date": "1 June", "venue": "Seehof", "recipient": "Anna"}
    return Content(headline=headline, facts=facts, **{**given, **more})


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(TEXTS, st.integers(1, 60)).map(lambda pair: (pair[0] * pair[1])[:250] or "x"),
    st.lists(st.tuples(TEXTS, st.integers(1, 200)).map(lambda pair: (pair[0] * pair[1])[:10_000]), max_size=12),
    st.integers(40, 600),
    st.sampled_from([payload.LARGEST, payload.LARGEST // 2, payload.SMALLEST]),
)
@example("🇦🇹" * 125, ["👩‍👩‍👧‍👦" * 1400] * 3, 600, payload.SMALLEST)
@example('"' * 250, ["\\" * 10_000], 40, payload.LARGEST)
def test_any_message_fits_with_its_links(headline: str, lines: list[str], link_length: int, largest: int) -> None:
    def filled(text: str) -> str:
        return text.replace(LINK, "https://hub.example/".ljust(link_length, "a"))

    whole = filled(payload.payload_of(content(headline, lines), tag="t" * 32, link=LINK, filled=filled))
    text = payload.shortened(whole, largest) if largest < payload.LARGEST else whole

    assert len(text.encode()) <= largest
    found = json.loads(text)
    assert found["web_push"] == 8030
    notification = found["notification"]
    assert notification["navigate"] == "https://hub.example/".ljust(link_length, "a")
    assert notification["title"]
    for part in (notification["title"], notification.get("body", "")):
        for line in part.split("\n"):
            kept = line.removesuffix("…")
            assert not kept or not unicodedata.combining(kept[0])


def test_what_fits_is_whole() -> None:
    said = content("Payment failed", ["Amount: €100", "Reference: R1"])

    notification = json.loads(payload.payload_of(said, tag="a", link=LINK, filled=str))["notification"]

    assert notification == {
        "title": "Payment failed",
        "body": "Amount: €100\nReference: R1\nAnna & Ben · 1 June · Seehof",
        "navigate": LINK,
        "lang": "en",
        "dir": "auto",
        "tag": "a",
    }


def test_short_lines_stay_whole_beside_a_long_one() -> None:
    said = content("Emergency", ["What happened: " + "smoke " * 2000, "Call: +436601234567"], asks=True)

    notification = json.loads(payload.payload_of(said, tag="a", link=LINK, filled=str))["notification"]

    assert "Call: +436601234567" in notification["body"].split("\n")
    assert "…" in notification["body"]


def test_one_that_is_repeated_says_so_first() -> None:
    said = content("Emergency", ["Smoke"], escalated=True, words={"not_acknowledged": "Nobody has confirmed this."})

    notification = json.loads(payload.payload_of(said, tag="a", link=LINK, filled=str))["notification"]

    assert notification["body"].split("\n")[0] == "Nobody has confirmed this."
