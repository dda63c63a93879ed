"""A message as one text of at most three segments, with whole links. Pure except for the length of our own links."""

from collections.abc import Sequence

from notifications import links
from notifications.channels.sms import segments
from notifications.channels.sms.shortening import Filled, Line, Link, fits, laid_out, written
from notifications.channels.sms.weights import choices
from notifications.wording import Content


def text_of(content: Content, filled: Filled) -> str:
    """The headline, the facts, the wedding, and the links.

    If it is too long, the wedding is left out. Then lines are left out or cut, the least important ones first
    (:func:`notifications.channels.sms.weights.choices`).

    A text that fits keeps its accents. One that does not is written without those that GSM's alphabet lacks, if all of
    it can be written in that alphabet: then twice as much fits.
    """
    again = [content.words.get("not_acknowledged", "Nobody has confirmed this yet.")] if content.escalated else []
    said = [content.headline, *again, *(fact.line for fact in content.facts)]
    about = [content.about] if content.about and content.couple not in " ".join(said) else []
    tail = _links(content)
    for whole in dict.fromkeys((tuple(said + about), tuple(said))):
        if text := _whole(whole, tail, filled):
            return text
    for lines, kept in choices(content, again, tail):
        if text := laid_out(lines, kept, filled):
            return text
    return laid_out([Line(content.headline, 1)], [], filled)


def _links(content: Content) -> list[Link]:
    """Each link with its label; the one that acknowledges comes first."""
    found = []
    if content.asks:
        found.append((content.words.get("acknowledge", "I'll take care of it"), links.ACKNOWLEDGE_URL))
    if content.link:
        found.append(content.link)
    return found


def _whole(said: Sequence[str], tail: Sequence[Link], filled: Filled) -> str:
    """All of it, with its accents or in GSM's alphabet; empty if neither fits."""
    text = written([segments.plain(each) for each in said], tail, segments.plain)
    if fits(text, filled):
        return text
    bare = [segments.unaccented(each) for each in said]
    text = written(bare, tail, segments.unaccented)
    return text if bare[0] and segments.is_gsm(filled(text)) and fits(text, filled) else ""
