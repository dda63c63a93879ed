"""Lines cut so that they fit into three segments together, in one encoding. Pure.

The encoding is chosen before anything is cut: GSM if every line can be written in its alphabet, otherwise UCS-2.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from notifications.channels.sms import segments
from notifications.wording.letters import cut

WHOLE = 1_000_000  # the least length of a line that is never cut
_LONGEST = 1_000  # characters of a line that are looked at; three segments hold far fewer
_UCS2_ROOM = 201
_NUMBER = re.compile(r"(?<!\w)[+(]{0,2}\d[\d ()./-]{3,22}\d(?!\w)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}([./-])\d{1,2}\1\d{2,4}")
_FEWEST_DIGITS = 6

Filled = Callable[[str], str]
"""Puts our own links in place of their placeholders, so that what is measured is what is sent."""
Write = Callable[[str], str]
"""How a line of ours is spelt."""
Link = tuple[str, str]
"""A label and a URL."""


@dataclass(frozen=True)
class Line:
    """A line of a message. ``least``: the characters below which it is not cut."""

    text: str
    least: int


def laid_out(lines: Sequence[Line], tail: Sequence[Link], filled: Filled) -> str:
    """The lines, the longest of them cut, and the links; empty if even their least lengths are too much."""
    texts, write = _spelt([line.text for line in lines], tail, filled)

    def at(limit: int) -> str:
        shortened = [_shortened(text, max(line.least, limit)) for text, line in zip(texts, lines, strict=True)]
        kept = [each if write is segments.readable else segments.plain(each) for each in shortened]
        return written(kept, tail, write)

    fitting, too_long = 0, max(map(len, texts)) + 1
    if not fits(at(0), filled):
        return ""
    while fitting + 1 < too_long:
        limit = (fitting + too_long) // 2
        if fits(at(limit), filled):
            fitting = limit
        else:
            too_long = limit
    return at(fitting)


def written(lines: Sequence[str], tail: Sequence[Link], write: Write) -> str:
    """The lines as they are, and one line for each link; the URLs stay unchanged."""
    return "\n".join(filter(None, [*lines, *(f"{write(label).rstrip('.:')}: {url}" for label, url in tail)]))


def fits(text: str, filled: Filled) -> bool:
    """Whether it has at most three segments."""
    return segments.count(filled(text)) <= segments.MOST


def numbers_in(text: str) -> Iterator[re.Match[str]]:
    """What looks like phone numbers."""
    for found in _NUMBER.finditer(text):
        digits = sum(each.isdigit() for each in found[0])
        if digits >= _FEWEST_DIGITS and not _DATE.fullmatch(found[0]):
            yield found


def in_gsm(text: str) -> str:
    """Without the accents that GSM lacks, and without what follows a letter that UCS-2 has no room for anyway."""
    bare = segments.unaccented(text[:_LONGEST])
    first = next((at for at, each in enumerate(bare) if not segments.is_gsm(each)), None)
    return bare if first is None or first < _UCS2_ROOM else segments.plain(cut(bare, first))


def _spelt(texts: Sequence[str], tail: Sequence[Link], filled: Filled) -> tuple[list[str], Write]:
    """The lines in GSM's alphabet if that is possible for all, otherwise as they are but for emoji."""
    texts = [text[:_LONGEST] for text in texts]
    bare = [in_gsm(text) for text in texts]
    if bare[0] and segments.is_gsm(filled(written(bare, tail, segments.unaccented))):
        return bare, segments.unaccented
    readable = [segments.readable(text) for text in texts]
    return [readable[0] or texts[0], *readable[1:]], segments.readable


def _shortened(text: str, limit: int) -> str:
    """Cut, but not within a phone number: half of one calls somebody else."""
    if len(text) <= limit:
        return text
    kept = cut(text, limit)
    end = len(kept.rstrip("…"))
    for found in numbers_in(text):
        if found.start() < end < found.end():
            return f"{text[: found.start()].rstrip()}…"
    return kept
