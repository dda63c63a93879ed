"""The payload: one JSON text of at most 3 KB that browsers read by themselves, or our service worker does. Pure.

Safari shows the declarative form (``"web_push": 8030``) without running a script; others hand the same text to the
service worker, which shows the same. https://webkit.org/blog/16535/meet-declarative-web-push/
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from notifications.wording import Content
from notifications.wording.letters import cut, fit

LARGEST = 3 * 1024
"""Bytes. RFC 8030 lets a push service refuse more than 4096, of which encryption takes about 100."""
SMALLEST = LARGEST // 4
_MARK = 8030

Filled = Callable[[str], str]
"""A text with our own links in place of their placeholders."""


def payload_of(content: Content, *, tag: str, link: str, filled: Filled) -> str:
    """The payload of a message: at most :data:`LARGEST` bytes once its links are filled in.

    Arguments:
        tag: what a later message must repeat to replace this one on the screen.
        link: what a tap opens; it is never shortened.
    """
    again = [content.words.get("not_acknowledged", "Nobody has confirmed this yet.")] if content.escalated else []
    lines = [*again, *(fact.line for fact in content.facts)]
    if content.about and content.couple not in " ".join([content.headline, *lines]):
        lines.append(content.about)
    notification = {"title": content.headline, "navigate": link, "lang": content.language, "dir": "auto", "tag": tag}
    return _fitting(notification, lines, LARGEST, filled)


def shortened(payload: str, largest: int) -> str:
    """A payload, its links filled in, for a push service that accepts only ``largest`` bytes."""
    notification = json.loads(payload)["notification"]
    lines = str(notification.pop("body", "")).split("\n")
    return _fitting(notification, lines, largest, str)


def _fitting(notification: dict[str, Any], lines: Sequence[str], largest: int, filled: Filled) -> str:
    """The largest payload that fits: the longest lines are cut first, then the title; nothing else is."""

    def written(room: int, title: int) -> str:
        body = "\n".join(fit(lines, room))
        texts = {"title": cut(notification["title"], title), **({"body": body} if body else {})}
        whole = {"web_push": _MARK, "notification": {**notification, **texts}}
        return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))

    def fits(text: str) -> bool:
        return len(filled(text).encode()) <= largest

    every, title = sum(map(len, lines)), len(notification["title"])
    room = _most(every, lambda room: fits(written(room, title)))
    if room or fits(written(0, title)):
        return written(room, title)
    return written(0, max(1, _most(title, lambda length: fits(written(0, length)))))


def _most(limit: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to ``limit`` that fits; 0 where none does."""
    least, most = 0, limit
    while least < most:
        middle = (least + most + 1) // 2
        if fits(middle):
            least = middle
        else:
            most = middle - 1
    return least
