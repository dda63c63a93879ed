"""The layout of emails: HTML for mail clients, with its styles inlined, and the same as plain text."""

from dataclasses import dataclass
from pathlib import Path

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from notifications import links
from notifications.channels.email.calling import Number
from notifications.wording import Content

MOST_SHOWN = 20_000
"""Characters of facts. Gmail cuts an email off after 102 KB, and the unsubscribe link with it."""
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
_ENGLISH = {
    "greeting": "Hello",
    "acknowledge": "I'll take care of it",
    "please_read": "Please read this now.",
    "please_acknowledge": "Please confirm that you are taking care of it. Until somebody does, we will contact others "
    "too.",
    "not_acknowledged": "Nobody has confirmed this yet.",
    "drill": "This is a drill. Nothing has happened.",
    "call": "Call",
    "sent_for": "Sent by WedSync because you are involved in this wedding.",
    "sent_to_staff": "Sent by WedSync to your team.",
    "unsubscribe": "Fewer emails like this",
}
_layouts = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_inliner = css_inline.CSSInliner(keep_at_rules=True, keep_style_tags=False, load_remote_stylesheets=False)


@dataclass(frozen=True)
class Look:
    """How an email is laid out. ``leaving``: with a link to unsubscribe."""

    urgent: bool = False
    leaving: bool = False
    numbers: tuple[Number, ...] = ()


def html(content: Content, look: Look) -> str:
    """A whole HTML document, small enough for Gmail."""
    written = _layouts.get_template("layout.html").render(
        content=content,
        facts=_shown(content),
        look=look,
        words=_ENGLISH | dict(content.words),
        direction="rtl" if content.language.split("-")[0] in _RIGHT_TO_LEFT else "ltr",
        acknowledge_url=links.ACKNOWLEDGE_URL,
        unsubscribe_url=links.UNSUBSCRIBE_URL,
    )
    return _inliner.inline(written).replace("<!DOCTYPE html>", "<!doctype html>", 1)


def text(content: Content, look: Look) -> str:
    """The email as plain text."""
    words = _ENGLISH | dict(content.words)
    parts = [words["drill"] if content.drill else "", content.text]
    if content.asks:
        parts.append(f"{words['acknowledge']}: {links.ACKNOWLEDGE_URL}")
    parts.append("\n".join(f"{words['call']} {each.name}: {each.phone}" for each in look.numbers))
    if content.link:
        parts.append(f"{content.link[0]}: {content.link[1]}")
    if content.couple_page:
        parts.append(f"{content.couple_page[0]}: {content.couple_page[1]}")
    parts.append(content.about)
    parts.append(words["sent_for" if content.couple else "sent_to_staff"])
    if look.leaving:
        parts.append(f"{words['unsubscribe']}: {links.UNSUBSCRIBE_URL}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _shown(content: Content) -> list[tuple[str, str]]:
    """The facts, cut off where the email would become too long; escaping turns a character into five at most."""
    left, shown = MOST_SHOWN // max(1, 5 if _needs_escaping(content) else 1), []
    for fact in content.facts:
        if left <= 0:
            break
        value = fact.value if len(fact.value) <= left else fact.value[: left - 1] + "…"
        shown.append((fact.label, value))
        left -= len(value) + 300  # for the row itself
    return shown


def _needs_escaping(content: Content) -> bool:
    values = "".join(fact.value for fact in content.facts)
    return sum(values.count(each) for each in "<>&\"'") * 20 > len(values)
