"""A message as one text of at most three segments, with whole links. Pure except for the length of our own links."""

from collections.abc import Callable, Sequence

from notifications import links
from notifications.channels.sms import segments
from notifications.wording import Content
from notifications.wording.letters import fit

LEAST_PART = 12  # characters left of a fact that is cut
LEAST_ROOM = 60  # characters that a link must leave for the text; a longer link is left out
Filled = Callable[[str], str]
"""Puts our own links in place of their placeholders, so that what is measured is what is sent."""
Write = Callable[[str], str]
"""How a line of ours is spelt."""


def text_of(content: Content, filled: Filled) -> str:
    """The headline, the facts, the wedding, and the links.

    If it is too long, the wedding is left out, and then the longest facts are cut.

    A text that fits keeps its accents. One that does not is written without those that GSM's alphabet lacks, if that
    makes room: then twice as much fits.
    """
    again = [content.words.get("not_acknowledged", "Nobody has confirmed this yet.")] if content.escalated else []
    said = [content.headline, *again, *(fact.line for fact in content.facts)]
    about = [content.about] if content.about and content.couple not in " ".join(said) else []
    tail = _links(content, filled)
    for whole in dict.fromkeys((tuple(said + about), tuple(said))):
        for write in (segments.plain, _unaccented):
            text = _written(whole, tail, write)
            if _fits(text, filled):
                return text
    makes_room = segments.is_gsm(filled(_written(said, tail, _unaccented)))
    return _cut(said, tail, _unaccented if makes_room else segments.plain, filled)


def _unaccented(text: str) -> str:
    return segments.unaccented(segments.plain(text))


def _links(content: Content, filled: Filled) -> list[tuple[str, str]]:
    """Each link with its label; one that would leave no room is left out, since half a link leads nowhere."""
    found = []
    if content.asks:
        found.append((content.words.get("acknowledge", "I'll take care of it"), links.ACKNOWLEDGE_URL))
    if content.link:
        found.append(content.link)
    return [(label, url) for label, url in found if _fits(f"{label}: {url}" + "x" * LEAST_ROOM, filled)]


def _written(said: Sequence[str], tail: Sequence[tuple[str, str]], write: Write) -> str:
    """One line for each link; the URLs stay unchanged."""
    lines = [*map(write, said), *(f"{write(label).rstrip('.:')}: {url}" for label, url in tail)]
    return "\n".join(filter(None, lines))


def _fits(text: str, filled: Filled) -> bool:
    return segments.count(filled(text)) <= segments.MOST


def _cut(said: Sequence[str], tail: Sequence[tuple[str, str]], write: Write, filled: Filled) -> str:
    """As much as there is room for: short facts stay whole, and so do numbers to call."""
    parts = [write(part) for part in said]
    fitting, too_long = 0, sum(map(len, parts)) + 1
    while fitting + 1 < too_long:
        room = (fitting + too_long) // 2
        if _fits(_written(fit(parts, room, LEAST_PART), tail, write), filled):
            fitting = room
        else:
            too_long = room
    return _written(fit(parts, fitting, LEAST_PART), tail, write)
