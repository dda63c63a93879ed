"""What people send becomes plain text: no markup comes through, and nothing else is lost."""

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wedsync.wire import plain_text
from wedsync.wire.html_elements import BLOCK, INLINE
from wedsync.wire.plain_text import clean, clean_text

ELEMENT = re.compile(rf"</?(?:{'|'.join(INLINE | BLOCK)})(?=[\s/>])[^<>]*>", re.IGNORECASE | re.ASCII)
"""A whole tag of a real element."""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ann & Bo",
        "Ann &amp; Bo",
        "5 < 6 guests",
        "we <3 you & them",
        "1 > 0",
        "https://studio.example/g?a=1&b=2",
        "&lt;b&gt; is how bold is written",
        "Kein Licht im Saal – 🔦",
        "👩‍👩‍👧 family, می‌خواهم, עברית",
        "two\nlines\tand a tab",
        "a no-break\u00a0space",
        "Pressure<limit in the cellar, leave the building at once",
        "Pressure <limit of 3 bar> in the cellar",
        "Front desk <desk@venue.example>",
        '"Tom Berger" <tom.berger+urgent@people.example>',
        "<https://venue.example/plan?hall=1>",
        "<mailto:desk@venue.example>",
        "<+43 660 1234567>",
        "<BK-77>",
        "<Seehof>",
        "<größe>",
        "<my-tag>",
        "<bold>",
        "<h7>",
        "< b >",
        "</ b>",
        "<>",
        "</>",
        "<3>",
        "the end <b",
        "the end </b",
        "5 <b and 7",
        '<a href="x',
        "<!-- nothing closes this",
        "<! important >",
        "<?> what",
        "a <- b -> c <= d",
        "if a<b then",
        "x<y>z",
        "C:\\Users\\<name>",
    ],
)
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert clean_text(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<b>Ann</b> & Bo", "Ann & Bo"),
        ("5 < 6 <i>guests</i>", "5 < 6 guests"),
        ("<script>alert(1)</script>Hall", "Hall"),
        ("<style>p{}</style>Hall", "Hall"),
        ('<img src=x onerror="alert(1)">Hall', "Hall"),
        ("Hall<!-- a comment -->", "Hall"),
        ("no light<br>call Tom", "no light\ncall Tom"),
        ("<p>no light</p><p>call Tom</p>", "no light\ncall Tom\n"),
        ("no light<p>call Tom</p>", "no light\ncall Tom\n"),
        ("no light<hr>call Tom", "no light\ncall Tom"),
        ("<td>Table 5</td><td>12 guests</td>", "Table 5\n12 guests\n"),
        ("<ul><li>Hall</li><li>Garden</li></ul>", "Hall\nGarden\n"),
        ("no<br><br/>light", "no\n\nlight"),
        ("Table <b>5</b>12", "Table 512"),
        ("<SCRIPT>alert(1)</ScRiPt\n>Hall", "Hall"),
        ("<script>alert(1)", "alert(1)"),
        ("<style>p{}", "p{}"),
        ("<b/onclick=x>Hall</b >", "Hall"),
        ('<a title="5 > 4" href=x>Hall</a>', "Hall"),
        ("<a title='it is > 4'>Hall</a>", "Hall"),
        ('<a title = "x" >Hall', "Hall"),
        ("<p don't>Hall</p>", "Hall\n"),
        ("<b\t\nid=1>Hall", "Hall"),
        ("a<!-->b", "ab"),
        ("a<!-- x <b> -->b", "ab"),
        ("<!DOCTYPE html><html>Hall</html>", "Hall\n"),
        ("<?xml version='1.0'?>Hall", "Hall"),
        ("<limit <b>3 bar</b>>", "<limit 3 bar>"),
        ("desk <desk@venue.example> <b>now</b>", "desk <desk@venue.example> now"),
        ("<scr<script></script>ipt>alert(1)</script>", "alert(1)"),
        ("<<b>script>alert(1)<</b>/script>", ""),
        ("<xmp><script>alert(1)</script></xmp>", ""),
        ("<plaintext><script>alert(1)", "alert(1)"),
        ("&lt;script&gt;<b>Hall</b>", "&lt;script&gt;Hall"),
        ("&amp;lt;script&amp;gt;<b>Hall</b>", "&amp;lt;script&amp;gt;Hall"),
        ("&#60;script&#62;<b>Hall</b>", "&#60;script&#62;Hall"),
        ("<\x00script>alert(1)</script>", ""),
        ("<\u200bscript>alert(1)</script>", ""),
    ],
)
def test_markup_goes_and_does_not_come_back(text: str, left: str) -> None:
    assert clean_text(text) == left


@pytest.mark.parametrize(
    "hidden", ["\x00", "\x07", "\x1b", "\x1f", "\x7f", "\x84", "\u200b", "\ufeff", "\u202e", "\u2066", "\ud800"]
)
def test_hidden_characters_go(hidden: str) -> None:
    assert clean_text(f"Ha{hidden}ll") == "Hall"


@pytest.mark.parametrize(
    "end",
    ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"],
    ids=ascii,
)
def test_every_kind_of_line_end_becomes_a_new_line(end: str) -> None:
    assert clean_text(f"Table 5{end}12 guests{end}{end}") == "Table 5\n12 guests\n\n"


def test_all_that_python_takes_for_a_line_end_is_one() -> None:
    ends = {chr(point) for point in range(0x110000) if len(f"a{chr(point)}b".splitlines()) == 2}

    assert len(ends) >= 10
    assert all(clean_text(f"a{end}b") == "a\nb" for end in ends)


@pytest.mark.parametrize("name", sorted(INLINE | BLOCK))
def test_each_element_of_html_is_a_tag_in_every_form(name: str) -> None:
    for written in (name, name.upper(), name.title()):
        for tag in (f"<{written}>", f"</{written}>", f"<{written}/>", f"<{written} id=1 hidden>", f"<{written}\n>"):
            assert clean_text(f"a{tag}b").replace("\n", "") == "ab", tag
    for other in (f"<{name}@venue.example>", f"<{name}:x>", f"<{name}-x>", f"<zz{name}>", f"<{name}", f"< {name}>"):
        assert clean_text(f"a {other}") == f"a {other}"


def test_markup_wrapped_in_markup_again_and_again_ends_without_a_tag() -> None:
    wrapped = "<" * 10_000 + "b>" * 10_000

    assert not ELEMENT.search(clean_text(wrapped))


def test_every_text_of_a_value_is_cleaned_and_nothing_else_is_touched() -> None:
    value: Any = {"<b>room</b>": ["<i>Hall</i>", 3, 2.5, None, True, {"note": "a\x00b"}]}

    assert clean(value) == {"room": ["Hall", 3, 2.5, None, True, {"note": "ab"}]}


@given(st.text(alphabet=st.sampled_from("<>/!?&;=\"' abcipstrl-#x6\x00\u200b"), max_size=60))
@example("<<<b>b>script>")
def test_whatever_is_sent_no_tag_is_left_and_cleaning_again_changes_nothing(text: str) -> None:
    cleaned = clean_text(text)

    assert not ELEMENT.search(cleaned)
    assert clean_text(cleaned) == cleaned


WORDS = st.text(st.characters(exclude_characters="<>=", exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp")), max_size=20)


@given(WORDS, WORDS, st.sampled_from(["<", "< ", "<<", "<limit ", "<desk@venue.example", "</", "<5", "<-"]))
def test_no_word_is_lost_behind_what_nothing_closes(before: str, after: str, opening: str) -> None:
    text = f"{before}{opening}{after}"

    assert clean_text(text) == text


@given(WORDS, st.emails(), WORDS)
def test_addresses_in_angle_brackets_stay(before: str, address: str, after: str) -> None:
    text = f"{before}<{address}>{after}"

    assert clean_text(text) == text


@given(st.lists(st.tuples(WORDS, st.sampled_from(["<b>", "</b>", "<i class='x'>", "<span>", '<a href="y">']))))
def test_markup_around_words_takes_none_of_them(pieces: list[tuple[str, str]]) -> None:
    assert clean_text("".join(f"{word}{tag}" for word, tag in pieces)) == "".join(word for word, _ in pieces)


MARKUP = st.text(alphabet=st.sampled_from("<>/!?&;=\"' abcip-"), max_size=200)


@given(MARKUP)
@example('<a "="' * 30)
@example("<a ='" * 30)
@example("<a =" * 30)
def test_no_search_for_a_tag_looks_beyond_the_next_bracket(text: str) -> None:
    """So all searches together look at each character a fixed number of times: the cost is linear by its form."""
    for start in (place for place, character in enumerate(text) if character == "<"):
        behind = text.find("<", start + 1)
        far, near = plain_text._TAG.match(text, start), plain_text._TAG.match(text[: behind + 1 or None], start)
        assert (far and far[0]) == (near and near[0])


@pytest.mark.parametrize("opening", ["<script>", "<style>", "<!--", "<script", "<b>", "<p>", "<<b>b>", "<a ="])
def test_what_has_no_end_is_sought_once(monkeypatch: pytest.MonkeyPatch, opening: str) -> None:
    """However often it is opened: one search to the end of the text in each layer, not one for each opening."""
    sought: list[str] = []

    class Counting:
        def __init__(self, name: str, pattern: re.Pattern[str]) -> None:
            self._name, self._pattern = name, pattern

        def search(self, text: str, at: int) -> re.Match[str] | None:
            sought.append(self._name)
            return self._pattern.search(text, at)

    counting = {name: Counting(name, pattern) for name, pattern in plain_text._ENDS.items()}
    monkeypatch.setattr(plain_text, "_ENDS", counting)

    clean_text(opening * 5_000)

    assert len(sought) <= plain_text.MOST_LAYERS * len(counting)


@pytest.mark.parametrize("text", ["<" * 500 + "b>" * 500, "<<b>b>" * 500, "&" * 500 + "<<<<b>b>b>a>"])
def test_no_text_is_gone_through_more_often_than_it_may_have_layers(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    rounds: list[int] = []
    once = plain_text._without_tags
    monkeypatch.setattr(plain_text, "_without_tags", lambda left: rounds.append(len(left)) or once(left))

    clean_text(text)

    assert len(rounds) <= plain_text.MOST_LAYERS
    assert max(rounds) <= len(text)
