"""Text from outside as plain text: without markup, and without characters that hide or reverse what is written.

Only names of real HTML elements make a tag: ``<limit>``, ``<desk@venue.example>`` and an unclosed ``<`` are text and
stay. The result may still contain ``<``, ``>`` and ``&``: whatever puts it into HTML escapes it there.

The cost is linear in the text: each pattern below ends its search at the next ``<`` at the latest, so that each
character is examined at most a fixed number of times, whatever the text (docs/adr/0055).
"""

import re
from collections.abc import Iterator
from typing import Any

from wedsync.wire.html_elements import BLOCK, INLINE

MOST_LAYERS = 4

_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Control characters other than newline and tab, the zero-width space and the byte order mark, characters that change
# the direction of writing, and lone surrogates. Joiners stay, since emoji and some scripts need them.
_HIDDEN = "\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\ufeff\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_HIDDEN_CHARACTER = re.compile(f"[{_HIDDEN}]")
_SUSPECT = re.compile(f"<[a-zA-Z/!?]|[{_HIDDEN}\u2028\u2029]")
_ELEMENTS = INLINE | BLOCK
_LONGEST_NAME = max(map(len, _ELEMENTS))
_TAG = re.compile(
    rf"""
    <(?P<end>/?)(?P<name>[a-z][a-z0-9]{{0,{_LONGEST_NAME - 1}}}+)(?=[\s/>])
    (?:[^<>=] | =\s*+(?:"[^"<]*"|'[^'<]*') | =)*+>  # attributes; a quoted value may hold ">"
    | <!--                                          # a comment, whose end is searched for separately
    | <!doctype\b[^<>]*+> | <\?[a-z][^<>]*+>
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_ENDS = {
    # The content of these is not text.
    "script": re.compile(r"</script(?=[\s/>])[^<>]*+>", re.IGNORECASE | re.ASCII),
    "style": re.compile(r"</style(?=[\s/>])[^<>]*+>", re.IGNORECASE | re.ASCII),
    "<!--": re.compile("-->"),
}
_BREAK = ""
"""A line break between pieces, unless the line has already ended. Pieces themselves are never empty."""


def clean(value: Any) -> Any:
    """A JSON value with every text in it cleaned, including the keys of objects."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(key): clean(child) for key, child in value.items()}
    return [clean(child) for child in value] if isinstance(value, list) else value


def clean_text(text: str) -> str:
    """The text without markup and hidden characters, with every kind of line end turned into a newline.

    Entities such as ``&amp;`` stay as they are.
    """
    if not _SUSPECT.search(text):
        return text
    text = _HIDDEN_CHARACTER.sub("", _LINE_END.sub("\n", text))
    for _ in range(MOST_LAYERS):
        stripped = _without_tags(text)
        if stripped == text:
            return text
        text = stripped
    # Markup wrapped in markup this many times is an attack; nothing that could open a tag is kept.
    return text.replace("<", "")


def _without_tags(text: str) -> str:
    """Remove one layer of tags; the text around them may form new ones."""
    kept: list[str] = []
    for piece in _pieces(text):
        if piece != _BREAK:
            kept.append(piece)
        elif kept and not kept[-1].endswith("\n"):
            kept.append("\n")
    return "".join(kept)


def _pieces(text: str) -> Iterator[str]:
    """The text between the tags, in pieces, with the line breaks that the tags imply."""
    at = 0
    unclosed: set[str] = set()  # elements without an end in the rest of the text, not searched for again
    while found := _TAG.search(text, at):
        name = "" if found["end"] else (found["name"] or found[0]).lower()
        end = _ENDS.get(name)
        after = found.end()
        if end is not None and name not in unclosed:
            closing = end.search(text, after - 2 if name == "<!--" else after)  # "<!-->" is a whole comment
            if closing is None:
                unclosed.add(name)
            else:
                after = max(after, closing.end())
        element = (found["name"] or "").lower()
        is_text = (element and element not in _ELEMENTS) or (name == "<!--" and name in unclosed)
        if found.start() > at:
            yield text[at : found.start()]
        at = after
        if is_text:
            yield found[0]
        elif element == "br":
            yield "\n"
        elif element in BLOCK:
            yield _BREAK
    if at < len(text):
        yield text[at:]
