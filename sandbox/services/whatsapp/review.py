"""The automatic part of Meta's review of a template, done immediately when it is submitted.

https://developers.facebook.com/docs/whatsapp/message-templates/guidelines
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.config import WhatsAppTemplate

BODY_LIMIT = 1024
BUTTON_LIMIT = 25
WORDS_EACH = 2
"""Words for each variable, plus one: Meta publishes no number, but several of its partners have measured this one."""
_NAME = re.compile(r"[a-z0-9_]{1,512}")
_VARIABLE = re.compile(r"\{\{(\w+)\}\}")
_WORD = re.compile(r"\w+(?:['’.-]\w+)*")
_RUNS = re.compile(r"\t| {5,}|\n{3,}")
_ODD_IN_BUTTON = re.compile(r"[\n\r\t{}*_~\u2600-\u27bf\U0001f000-\U0001faff]")


@dataclass(frozen=True)
class Refusal:
    """Why a template is refused: Meta's subcode, the title of the error, and a sentence."""

    subcode: int
    title: str
    text: str


def refusal_of(template: WhatsAppTemplate, others: Iterable[WhatsAppTemplate] = ()) -> Refusal | None:
    """The first mistake; ``None``: the template would be approved.

    Args:
        template: as submitted.
        others: the templates that the business account already has.
    """
    if not _NAME.fullmatch(template.name):
        return Refusal(2388042, "Name is invalid", "Use lowercase letters, digits and underscores.")
    found = _of_body(template.body) or _of_buttons(template)
    if found is not None:
        return found
    for other in others:
        if (other.name, other.language) == (template.name, template.language):
            return Refusal(2388024, "Content in this language already exists", "The name has a text in this language.")
        if (other.body, other.footer) == (template.body, template.footer):
            return Refusal(2388025, "Duplicate content", f"The template {other.name} has the same words.")
    return None


def _of_body(body: str) -> Refusal | None:
    if not body or len(body) > BODY_LIMIT or _RUNS.search(body):
        return Refusal(2388040, "Body is invalid", "It is too long, empty, or has runs of spaces or line ends.")
    texts = _VARIABLE.split(body)[::2]
    names = _VARIABLE.findall(body)
    if any("{{" in text or "}}" in text for text in texts):
        return Refusal(2388072, "Variables are malformed", "A variable is written {{1}}.")
    numbers = [int(name) for name in names if name.isdigit()]
    if numbers and sorted(set(numbers)) != list(range(1, len(set(numbers)) + 1)):
        return Refusal(2388072, "Variables are malformed", "Variables are numbered without a gap.")
    if not names:
        return None
    if not (_WORD.search(texts[0]) and _WORD.search(texts[-1])):
        return Refusal(2388299, "Variables can't be at the start or end", "Add words before and after them.")
    if not all(_WORD.search(text) for text in texts[1:-1]):
        return Refusal(2388299, "Variables can't be next to each other", "Add words between them.")
    if any(_VARIABLE.search(line) and not _WORD.search(_VARIABLE.sub("", line)) for line in body.splitlines()):
        return Refusal(2388299, "A variable can't be alone on its line", "Say what it is.")
    if sum(len(_WORD.findall(text)) for text in texts) < WORDS_EACH * len(names) + 1:
        return Refusal(2388293, "Too many variables for its length", "Use fewer variables or more words.")
    return None


def _of_buttons(template: WhatsAppTemplate) -> Refusal | None:
    for button in template.buttons:
        if not 0 < len(button.text) <= BUTTON_LIMIT or _ODD_IN_BUTTON.search(button.text):
            return Refusal(2388047, "Button is invalid", f"At most {BUTTON_LIMIT} characters, plain text.")
    return None
