"""A message as one text of at most three segments, with whole links. Pure except for the length of our own links."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from notifications import links
from notifications.channels.sms import segments
from notifications.channels.sms.shortening import Filled, Line, Link, fits, laid_out, written
from notifications.channels.sms.weights import choices
from notifications.wording import Content


def text_of(content: Content, filled: Filled) -> str:
    """The headline, the facts, the wedding, and the links.

    If it is too long, the wedding is left out, or the link to the couple's page. Then lines are left out or cut, the
    least important ones first (:func:`notifications.channels.sms.weights.choices`).

    A text that fits keeps its accents. One that does not is written without those that GSM's alphabet lacks, if all of
    it can be written in that alphabet: then twice as much fits.
    """
    again = [content.words.get("not_acknowledged", "Nobody has confirmed this yet.")] if content.escalated else []
    tail, bare = _links(content), _without_emoji_alone(content)
    lines, bare_lines = ([each.headline, *again, *(fact.line for fact in each.facts)] for each in (content, bare))
    about = [content.about] if content.about and content.couple not in " ".join(lines) else []
    page = [content.couple_page] if content.couple_page else []
    for below, rest in product([[*tail, *page], tail] if page else [tail], [about, []] if about else [about]):
        if text := _whole([*lines, *rest], [*bare_lines, *rest], below, filled):
            return text
    for chosen, kept in choices(bare, again, tail):
        if text := laid_out(chosen, kept, filled):
            return text
    return laid_out([Line(content.headline, 1)], [], filled)


def _without_emoji_alone(content: Content) -> Content:
    """Without the facts that have no letter once accents and emoji are gone: a label alone says nothing."""
    return replace(content, facts=tuple(fact for fact in content.facts if segments.unaccented(fact.value)))


def _links(content: Content) -> list[Link]:
    """Each link with its label; the one that acknowledges comes first."""
    found = []
    if content.asks:
        found.append((content.words.get("acknowledge", "I'll take care of it"), links.ACKNOWLEDGE_URL))
    if content.link:
        found.append(content.link)
    return found


def _whole(said: Sequence[str], bare: Sequence[str], tail: Sequence[Link], filled: Filled) -> str:
    """All of it, with its accents, or the ``bare`` lines in GSM's alphabet; empty if neither fits."""
    text = written([segments.plain(each) for each in said], tail, segments.plain)
    if fits(text, filled):
        return text
    in_gsm = [segments.unaccented(each) for each in bare]
    text = written(in_gsm, tail, segments.unaccented)
    return text if in_gsm[0] and segments.is_gsm(filled(text)) and fits(text, filled) else ""
