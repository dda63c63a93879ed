"""Text that others wrote: cut between characters, and kept from changing the direction of our own lines."""

import re
import unicodedata
from collections.abc import Sequence

LONGEST_VALUE = 10_000
LEAST_PART = 30
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]")
_FIRST_STRONG, _END = "\u2068", "\u2069"
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f\u061c\ufeff]")
_JOINS = {"\u200d", "\ufe0f", "\ufe0e", "\u20e3"}
_FIRST_FLAG, _LAST_FLAG = "\U0001f1e6", "\U0001f1ff"
_FIRST_SKIN, _LAST_SKIN = "\U0001f3fb", "\U0001f3ff"


def tidy(text: str) -> str:
    """A value on one line, of bounded length, without control characters; text from right to left is isolated."""
    kept = "".join(each if not _is_control(each) else " " for each in _TURNING.sub("", text[: 2 * LONGEST_VALUE]))
    line = cut(" ".join(kept.split()), LONGEST_VALUE)
    return f"{_FIRST_STRONG}{line}{_END}" if _RIGHT_TO_LEFT.search(line) else line


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}


def cut(text: str, limit: int) -> str:
    """At most ``limit`` characters, ended with “…” where it was longer; never inside an emoji or an accented letter."""
    if len(text) <= limit:
        return text
    end = max(limit - 1, 0)
    while end > 0 and _belongs_together(text, end):
        end -= 1
    end = end or max(limit - 1, 0)  # only joined characters: cut anywhere
    kept = text[:end].rstrip()
    if kept.count(_FIRST_STRONG) > kept.count(_END):
        kept = f"{kept[: limit - 2]}{_END}"
    return f"{kept}…"


def fit(parts: Sequence[str], room: int, least: int = LEAST_PART) -> list[str]:
    """Parts that together have at most ``room`` characters: the longest are cut, so that what is short stays whole.

    Where even short beginnings of all are too much, the last ones are left out.

    Arguments:
        least: characters below which nothing is cut.
    """
    shortest, longest = least, max(map(len, parts), default=0)
    if sum(map(len, parts)) <= room:
        return list(parts)
    while shortest < longest:
        middle = (shortest + longest + 1) // 2
        if sum(min(len(part), middle) for part in parts) <= room:
            shortest = middle
        else:
            longest = middle - 1
    kept = [cut(part, shortest) for part in parts]
    while kept and sum(map(len, kept)) > room:
        kept.pop()
    return kept


def _belongs_together(text: str, at: int) -> bool:
    """Whether the code points before and after a position are one character to a reader."""
    before, behind = text[at - 1], text[at]
    if behind in _JOINS or before == "\u200d" or unicodedata.combining(behind):
        return True
    if _FIRST_SKIN <= behind <= _LAST_SKIN:
        return True
    if _FIRST_FLAG <= before <= _LAST_FLAG and _FIRST_FLAG <= behind <= _LAST_FLAG:
        begins = at
        while begins > 0 and _FIRST_FLAG <= text[begins - 1] <= _LAST_FLAG:
            begins -= 1
        return (at - begins) % 2 == 1
    return False
