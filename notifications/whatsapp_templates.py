"""The message templates that Meta has approved: which one a message takes, and what fills it.

Their text is Meta's and read-only; the copy here is for previews and for the sandbox. Parameters hold no line break, no
tab and no run of spaces (https://developers.facebook.com/docs/whatsapp/business-management-api/message-templates).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integrations.models import Delivery
from notifications.wording import Content
from wedsync.queues import Priority

LONGEST_BODY = 1024
_LONGEST = (60, 250, 560)  # of each parameter, so that the whole stays within its length
DEFAULT_LANGUAGE = "en"
UPDATE, EMERGENCY, EMERGENCY_INFO = "wedding_update", "wedding_emergency", "wedding_emergency_info"
SHIPPED: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "channels" / "whatsapp_templates.json").read_text(encoding="utf-8")
)
_BY_NAME = {(template["name"], template["language"]): template for template in SHIPPED}


@dataclass(frozen=True)
class Approved:
    """A template at Meta, filled. ``text``: as the reader sees it."""

    name: str
    language: str
    parameters: tuple[str, ...]
    buttons: tuple[dict[str, str], ...]
    text: str


def template_for(content: Content, delivery: Delivery) -> Approved:
    """The template that a message takes, in the reader's language where it is approved in that."""
    name = UPDATE
    if delivery.priority == Priority.URGENT and delivery.event.type != "incident.resolved":
        name = EMERGENCY if content.asks else EMERGENCY_INFO
    template = _BY_NAME.get((name, content.language)) or _BY_NAME[(name, DEFAULT_LANGUAGE)]
    again = [content.words.get("not_acknowledged", "Nobody has acknowledged this yet")] if content.escalated else []
    details = " · ".join([*again, *(fact.line for fact in content.facts)])
    values = (content.recipient or content.words.get("greeting", "Hello"), content.headline, details)
    parameters = tuple(parameter(value, longest) for value, longest in zip(values, _LONGEST, strict=True))
    text = template["body"]
    for number, value in enumerate(parameters, 1):
        text = text.replace(f"{{{{{number}}}}}", value)
    return Approved(name, template["language"], parameters, tuple(template.get("buttons", ())), text)


def parameter(text: str, longest: int) -> str:
    """One line, without tabs or runs of spaces, within its length; never empty."""
    flat = " ".join(text.split())
    return (flat if len(flat) <= longest else flat[: longest - 1] + "…") or "–"


def name_in(request: dict[str, Any] | None) -> str:
    """The template that frozen bytes name."""
    try:
        return str(json.loads((request or {})["body"])["template"]["name"])
    except (ValueError, KeyError, TypeError):
        return "a template"
