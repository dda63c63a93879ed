"""Slack's mrkdwn as HTML. Everything is escaped first; only then is the markup parsed.

https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import html
import re

from markupsafe import Markup

_ANGLE = re.compile(r"&lt;(.+?)&gt;", re.DOTALL)
_CODE_BLOCK = re.compile(r"```(.+?)```", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_MARKS = (
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])"), r"<b>\1</b>"),
    (re.compile(r"(?<![\w_/])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])"), r"<i>\1</i>"),
    (re.compile(r"(?<![\w~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\w~])"), r"<s>\1</s>"),
    (re.compile(r"(?m)^&gt; ?(.*)$\n?"), r"<blockquote>\1</blockquote>"),
)


def render(text: str) -> Markup:
    """The text as HTML: bold, italics, strike, code, quotes, links, mentions."""
    # Senders escape only & < >, as Slack wants it; unescape, then escape again including quotes, so that nothing is
    # escaped twice. Escaped angle brackets are hidden in between: `&lt;!channel&gt;` is text, not a mention.
    hidden = text.replace("&lt;", "\ue000").replace("&gt;", "\ue001").replace("&amp;", "&")
    escaped = html.escape(hidden, quote=True)
    kept: list[str] = []

    def keep(markup: str) -> str:
        kept.append(markup)
        return f"\ue002{len(kept) - 1}\ue003"

    escaped = _CODE_BLOCK.sub(lambda match: keep(f"<pre>{match[1]}</pre>"), escaped)
    escaped = _CODE.sub(lambda match: keep(f"<code>{match[1]}</code>"), escaped)
    escaped = _ANGLE.sub(lambda match: keep(_angle(match[1])), escaped)
    for pattern, replacement in _MARKS:
        escaped = pattern.sub(replacement, escaped)
    escaped = escaped.replace("\n", "<br>")
    # Backwards, because a link's label may contain code that was set aside before it.
    for number, markup in reversed(list(enumerate(kept))):
        escaped = escaped.replace(f"\ue002{number}\ue003", markup)
    return Markup(escaped.replace("\ue000", "&lt;").replace("\ue001", "&gt;"))


def _angle(inner: str) -> str:
    """The content of angle brackets, already escaped: a mention, a channel or a link."""
    target, _, label = inner.partition("|")
    if target.startswith("!subteam^"):
        return f'<span class="mention">{label or "@team"}</span>'
    if target.startswith("!"):
        return f'<span class="mention loud">@{target[1:]}</span>'
    if target[:1] in ("@", "#"):
        return f'<span class="mention">{target[0]}{label or target[1:]}</span>'
    if re.match(r"(https?://|mailto:|tel:)", target):
        return f'<a href="{target}" rel="noreferrer noopener" target="_blank">{label or target}</a>'
    return f"&lt;{inner}&gt;"
