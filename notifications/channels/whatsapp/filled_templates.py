"""Fills in the template that a message uses.

Parameters contain no line break, no tab and no run of spaces
(https://developers.facebook.com/docs/whatsapp/business-management-api/message-templates).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from integrations.models import Delivery
from notifications.channels.whatsapp import templates
from notifications.digests.windows import digest_window
from notifications.models import WhatsAppTemplate
from notifications.rules.approved_templates import PLACEHOLDER, room_for
from notifications.wording import Content
from notifications.wording.letters import fit
from wedsync.queues import Priority

Purpose = WhatsAppTemplate.Purpose


@dataclass(frozen=True)
class Approved:
    """A template at Meta, filled in. ``text``: as the reader sees it."""

    name: str
    language: str
    parameters: tuple[str, ...]
    buttons: tuple[dict[str, str], ...]
    text: str


def template_for(content: Content, delivery: Delivery) -> Approved:
    """The template for a message, filled in."""
    template = templates.chosen(content.language, _purpose(content, delivery), delivery.organization_id)
    lengths = room_for(template.body, template.parameters)
    parameters = tuple(
        parameter(_value(name, content, longest), longest)
        for name, longest in zip(template.parameters, lengths, strict=True)
    )
    text = filled(template.body, parameters)
    return Approved(template.name, template.language, parameters, tuple(template.buttons), text)


def _purpose(content: Content, delivery: Delivery) -> WhatsAppTemplate.Purpose:
    if delivery.priority == Priority.URGENT and delivery.event.type != "incident.resolved":
        return Purpose.EMERGENCY if content.asks else Purpose.EMERGENCY_INFO
    return Purpose.DIGEST if digest_window(delivery) else Purpose.UPDATE


def _value(name: str, content: Content, longest: int) -> str:
    """The value of a parameter. The longest details are cut, so that a number to call stays complete."""
    if name == "details":
        again = [content.words.get("not_acknowledged", "Nobody has confirmed this yet")] if content.escalated else []
        parts = [*again, *(fact.line for fact in content.facts)]
        return _without_stop(" · ".join(fit(parts, longest - 3 * len(parts))))
    values = {
        "recipient": content.recipient or content.words.get("reader", "everyone"),
        "headline": _without_stop(content.headline),
        "couple": content.couple,
        "venue": content.venue,
        "date": content.wedding_date,
    }
    return values[name]


def _without_stop(text: str) -> str:
    """Without a full stop at its end: templates have one after the placeholder."""
    return text[:-1] if text.endswith(".") and not text.endswith("..") else text


def filled(body: str, values: Sequence[str]) -> str:
    """A body with its placeholders filled in; placeholders within a value stay as they are."""
    return PLACEHOLDER.sub(lambda found: values[int(found[1]) - 1], body)


def parameter(text: str, longest: int) -> str:
    """One line, without tabs or runs of spaces, within its length; never empty."""
    flat = " ".join(text.split())
    return (flat if len(flat) <= longest else flat[: longest - 1] + "…") or "–"
