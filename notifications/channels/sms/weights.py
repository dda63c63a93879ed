"""What a text message that is too long says first: the headline, the number to call, what happened. Pure.

The number to call is complete or left out, and is left out last.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from notifications.channels.sms import segments
from notifications.channels.sms.shortening import WHOLE, Line, Link, in_gsm, numbers_in
from notifications.wording import Content, Fact

_HEADLINE, _DESCRIPTION = 60, 40  # useful lengths; the description's is without its label
_OTHER = 12  # characters of another fact without its label
_LONGEST_CALL = 60  # a longer line is not only a number to call
_MOST_OTHERS = 40
Choice = tuple[list[Line], Sequence[Link]]


class _Tight(NamedTuple):
    """How far the most important lines may be cut. ``description``: 0 leaves it out. ``calls``: how many stay."""

    headline: int
    description: int
    labelled: bool
    calls: int


_TIGHT = (
    _Tight(_HEADLINE, _DESCRIPTION, True, 1),
    _Tight(_HEADLINE, _DESCRIPTION, False, 1),
    _Tight(_HEADLINE, 15, False, 1),
    _Tight(30, 15, False, 1),
    _Tight(30, 0, False, 1),
    _Tight(12, 0, False, 1),
    _Tight(1, 0, False, 1),
    _Tight(30, 0, False, 0),
    _Tight(1, 0, False, 0),
)
_TIGHT_WITH_A_PAGE = _TIGHT[:5]


class _Weighed(NamedTuple):
    content: Content
    description: Fact | None
    calls: Sequence[Fact]
    others: Sequence[Fact]


def choices(content: Content, again: Sequence[str], tail: Sequence[Link]) -> Iterator[Choice]:
    """What to try, the best first: the first that fits is sent.

    Other facts are left out: those that alone would make it UCS-2, then the others from the last one on. The line of a
    repetition and the second link follow. Only then are the headline and the description cut below a useful length.
    The link that acknowledges stays to the end; another is left out if little of the headline would remain.
    """
    weighed = _weigh(content, again)
    for count in range(len(weighed.others), -1, -1):
        yield _lines(weighed, weighed.others[:count], again), tail
    yield _lines(weighed, (), ()), tail
    yield _lines(weighed, (), ()), tail[:1]
    for tight in _TIGHT if content.asks or not tail else _TIGHT_WITH_A_PAGE:
        yield _tight(weighed, tight), tail[:1]
    if tail:
        yield from choices(content, again, ())


def _weigh(content: Content, again: Sequence[str]) -> _Weighed:
    facts = content.facts
    calls = [fact for fact in facts if fact.calls] or [fact for fact in facts if _calls(fact)]
    rest = [fact for fact in facts if fact not in calls]
    others = rest[1 : _MOST_OTHERS + 1]
    if all(map(_reaches_gsm, [content.headline, *again, *(fact.line for fact in [*rest[:1], *calls])])):
        others = [fact for fact in others if _reaches_gsm(fact.line)]
    return _Weighed(content, rest[0] if rest else None, calls, others)


def _reaches_gsm(line: str) -> bool:
    return segments.is_gsm(in_gsm(line))


def _calls(fact: Fact) -> bool:
    return len(fact.value) <= _LONGEST_CALL and any(numbers_in(fact.value))


def _lines(weighed: _Weighed, others: Sequence[Fact], again: Sequence[str]) -> list[Line]:
    """In the message's own order, with labels."""
    lines = [Line(weighed.content.headline, _HEADLINE), *(Line(each, WHOLE) for each in again)]
    for fact in weighed.content.facts:
        if fact in weighed.calls:
            lines.append(Line(fact.line, WHOLE))
        elif fact == weighed.description:
            lines.append(Line(fact.line, _label(fact) + _DESCRIPTION))
        elif fact in others:
            lines.append(Line(fact.line, _label(fact) + _OTHER))
    return lines


def _tight(weighed: _Weighed, tight: _Tight) -> list[Line]:
    lines = [Line(weighed.content.headline, tight.headline)]
    if weighed.description and tight.description:
        fact = weighed.description
        label = _label(fact) if tight.labelled else 0
        lines.append(Line(fact.line if tight.labelled else fact.value, label + tight.description))
    for fact in weighed.calls[: tight.calls]:
        lines.append(Line(fact.line if tight.labelled else _number(fact), WHOLE))
    return lines


def _number(fact: Fact) -> str:
    found = next(numbers_in(fact.value), None)
    return found[0] if found else fact.value


def _label(fact: Fact) -> int:
    return len(fact.line) - len(fact.value)
