"""Text from outside as plain text: no markup, and no characters that hide or turn round what stands there.

What is left may still hold ``<``, ``>`` and ``&``, as in ``5 < 6``: whoever puts it into HTML escapes it there.
"""

import html
import re
from typing import Any

import nh3

MOST_LAYERS = 4
MANY_TAGS = 200  # nh3 builds a tree, which takes long for deep ones

# Controls but newline and tab, the zero-width space and the byte order mark, what turns the direction of writing, and
# lone surrogates. Joiners stay, since emoji and some scripts are written with them.
_HIDDEN = "\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\ufeff\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_HIDDEN_CHARACTER = re.compile(f"[{_HIDDEN}]")
_SUSPECT = re.compile(f"<[a-zA-Z/!?]|[{_HIDDEN}]")
_TAG = re.compile(r"<[^<>]*>")
# Words on both sides of these must not grow together.
_END_OF_LINE = re.compile(r"<br\b[^<>]*>|</(?:p|div|li|tr|h[1-6])\b[^<>]*>", re.IGNORECASE)


def clean(value: Any) -> Any:
    """A JSON value with every text of it cleaned, the keys of objects too."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(key): clean(child) for key, child in value.items()}
    return [clean(child) for child in value] if isinstance(value, list) else value


def clean_text(text: str) -> str:
    """The text without markup and hidden characters. Entities such as ``&amp;`` stay as they are written."""
    if not _SUSPECT.search(text):
        return text
    text = _HIDDEN_CHARACTER.sub("", text)
    for _ in range(MOST_LAYERS):
        stripped = _without_tags(text)
        if stripped == text:
            return text
        text = stripped
    # Markup wrapped in markup so many times is an attack; nothing that could open a tag is left of it.
    return text.replace("<", "")


def _without_tags(text: str) -> str:
    """One layer less; what the tags held may form new ones. Scripts and styles go with what they hold."""
    if "<" not in text:
        return text
    # nh3 reads and writes HTML. With & written as &amp; it decodes nothing that the sender did not mean as HTML.
    markup = _END_OF_LINE.sub("\n", text.replace("&", "&amp;"))
    if markup.count("<") > MANY_TAGS:
        return html.unescape(_TAG.sub("", markup)).replace("<", "")
    return html.unescape(nh3.clean(markup, tags=set(), clean_content_tags={"script", "style"}))
