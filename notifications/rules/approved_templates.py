"""Meta's rules for an approved template, as far as they can be checked here.

https://developers.facebook.com/docs/whatsapp/business-management-api/message-templates
"""

import re
from collections.abc import Sequence
from typing import Any

from wedsync.wire.strict_json import is_storable

LONGEST_BODY = 1024
LONGEST_BUTTON = 25
MOST_BUTTONS = 10
SHORTEST_CUT = 40
LONGEST = {"recipient": 60, "headline": 250, "details": 560, "couple": 80, "venue": 80, "date": 40}
"""The most characters of each value."""
BUTTON_TYPES = {"quick_reply", "url", "phone_number"}
PLACEHOLDER = re.compile(r"\{\{([0-9]+)\}\}")
WORDS_EACH = 2
"""Words per placeholder, plus one: Meta gives no number, but several of its partners have measured this one."""
_WORD = re.compile(r"\w+(?:['’.-]\w+)*")
_SPACES = re.compile(r"\t| {5,}|\n{3,}")
_UNFIT_FOR_A_BUTTON = re.compile(r"[\n\r\t{}*_~\u2600-\u27bf\U0001f000-\U0001faff]")


def room_for(body: str, parameters: Sequence[str]) -> list[int]:
    """How long each parameter may be so that the whole stays within 1024 characters; the longest one is shortened.

    Raises:
        ValueError: the body leaves too little room for it.
    """
    lengths = [LONGEST[name] for name in parameters]
    over = len(PLACEHOLDER.sub("", body)) + sum(lengths) - LONGEST_BODY
    if over > 0:
        widest = lengths.index(max(lengths)) if lengths else -1
        if widest < 0 or lengths[widest] - over < SHORTEST_CUT:
            raise ValueError(f"The body is too long: filled in, it would have more than {LONGEST_BODY} characters.")
        lengths[widest] -= over
    return lengths


def check_body(body: str, parameters: Sequence[str]) -> None:
    """Accept a body that Meta would approve.

    Raises:
        ValueError: the placeholders do not match the parameters, the whole is too long, or Meta would refuse it; with
            the reason as a sentence.
    """
    found = [int(number) for number in PLACEHOLDER.findall(body)]
    if sorted(found) != list(range(1, len(parameters) + 1)):
        raise ValueError(
            f"The body needs each of {{{{1}}}} to {{{{n}}}} exactly once: it has {len(found)} placeholders "
            f"for {len(parameters)} parameters."
        )
    room_for(body, parameters)
    check_placeholders(body)


def check_placeholders(body: str) -> None:
    """Accept a body whose placeholders are where Meta allows them.

    When a template is submitted, Meta refuses a placeholder at the beginning or the end, where punctuation and emoji
    around it do not count; one alone on its line; two without a word between them; too few words for their number; and
    stray braces. https://developers.facebook.com/docs/whatsapp/message-templates/guidelines

    Raises:
        ValueError: it would be refused; with the reason as a sentence.
    """
    texts = PLACEHOLDER.split(body)[::2]
    count = len(texts) - 1
    if "{{" in "".join(texts) or "}}" in "".join(texts):
        raise ValueError("Write each placeholder as {{1}}, {{2}}, with nothing else between the braces.")
    if _SPACES.search(body):
        raise ValueError("Meta allows no tab, at most four spaces and at most two line ends in a row.")
    if not count:
        return
    if not _WORD.search(texts[0]) or not _WORD.search(texts[-1]):
        raise ValueError("Meta allows no placeholder at the beginning or the end of the body. Put words around it.")
    if not all(_WORD.search(text) for text in texts[1:-1]):
        raise ValueError("Meta allows no two placeholders without a word between them.")
    if any(PLACEHOLDER.search(line) and not _WORD.search(PLACEHOLDER.sub("", line)) for line in body.splitlines()):
        raise ValueError("Meta allows no placeholder alone on its line. Say on that line what it is.")
    words = sum(len(_WORD.findall(text)) for text in texts)
    if words < (fewest := WORDS_EACH * count + 1):
        raise ValueError(f"Meta requires at least {fewest} words around {count} placeholders; this body has {words}.")


def check_parameters(parameters: Any) -> None:
    """Raises: ValueError: it is not a list of known words."""
    if not isinstance(parameters, list) or any(str(each) not in LONGEST for each in parameters):
        raise ValueError(f"Parameters must be a list of these words: {', '.join(LONGEST)}.")


def check_buttons(buttons: Any, *, asks: bool) -> None:
    """Raises: ValueError: Meta would refuse them, or they do not suit. ``asks``: the reader is asked to acknowledge."""
    if not isinstance(buttons, list) or len(buttons) > MOST_BUTTONS:
        raise ValueError(f"Buttons must be a list of at most {MOST_BUTTONS}.")
    if not is_storable({"buttons": buttons}):
        raise ValueError("A button contains characters that cannot be stored, such as NUL.")
    for each in buttons:
        if not isinstance(each, dict) or str(each.get("type")) not in BUTTON_TYPES:
            types = ", ".join(sorted(BUTTON_TYPES))
            raise ValueError(f'Write each button as {{"type": …, "text": …}}; its type is one of {types}.')
        if not isinstance(each.get("text"), str) or not 0 < len(each["text"]) <= LONGEST_BUTTON:
            raise ValueError(f"Each button needs a text of at most {LONGEST_BUTTON} characters.")
        if _UNFIT_FOR_A_BUTTON.search(each["text"]):
            raise ValueError("Meta allows no placeholder, emoji, line end or formatting in a button's text.")
    replies = sum(each["type"] == "quick_reply" for each in buttons)
    if asks and replies != 1:
        raise ValueError("An emergency's template needs one quick_reply button, which acknowledges it.")
    if not asks and replies:
        raise ValueError("Only an emergency's template may have a quick_reply button, since it acknowledges.")
