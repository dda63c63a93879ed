"""The message templates that Meta has approved: which one a message uses, and how it is filled.

An organization's own rows take precedence over the shipped ones. Their text is fixed at Meta; the copy here is for
previews and for the sandbox. Shipped ones have their version in their names: an organization that had earlier ones
approved has these as its own rows, and continues with them until the newer ones are approved (docs/adr/0071).
Parameters contain no line break, no tab and no run of spaces
(https://developers.facebook.com/docs/whatsapp/business-management-api/message-templates).
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from integrations.models import Delivery
from notifications.digests.windows import digest_window
from notifications.models import WhatsAppTemplate
from notifications.rules.approved_templates import LONGEST_BODY, PLACEHOLDER, room_for
from notifications.wording import DEFAULT_LANGUAGE, Content
from notifications.wording.letters import fit
from wedsync.queues import Priority

__all__ = ["EARLIER", "LONGEST_BODY", "SHIPPED", "Approved", "filled", "name_in", "parameter", "pause", "template_for"]
Purpose, Status = WhatsAppTemplate.Purpose, WhatsAppTemplate.Status
_PARAMETERS = ("recipient", "headline", "details")  # of the shipped templates
_NAMES = {
    Purpose.UPDATE: "wedding_update_2",
    Purpose.DIGEST: "wedding_update_2",
    Purpose.EMERGENCY: "wedding_emergency_2",
    Purpose.EMERGENCY_INFO: "wedding_emergency_info_2",
}


def _read(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
    return found


SHIPPED = _read("templates.json")
EARLIER = _read("templates_1.json")
"""The earlier shipped ones, with names without a version: nobody can get them approved now."""
_BY_NAME = {(template["name"], template["language"]): template for template in SHIPPED}


@dataclass(frozen=True)
class Approved:
    """A template at Meta, filled in. ``text``: as the reader sees it."""

    name: str
    language: str
    parameters: tuple[str, ...]
    buttons: tuple[dict[str, str], ...]
    text: str


@dataclass(frozen=True)
class _Template:
    name: str
    language: str
    body: str
    parameters: Sequence[str]
    buttons: Iterable[dict[str, str]]


def template_for(content: Content, delivery: Delivery) -> Approved:
    """The template for a message: in the reader's language the organization's own, then the shipped one."""
    template = _chosen(content.language, _purpose(content, delivery), delivery.organization_id)
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


def _chosen(language: str, purpose: WhatsAppTemplate.Purpose, organization_id: UUID) -> _Template:
    rows = _own(organization_id, purpose) or (_own(organization_id, Purpose.UPDATE) if purpose == "digest" else [])
    for spoken in dict.fromkeys((language, DEFAULT_LANGUAGE)):
        for row in rows:
            if row.language.split("_")[0] == spoken:
                return _Template(row.name, row.language, row.body, row.parameters, row.buttons)
        shipped = _BY_NAME.get((_NAMES[purpose], spoken))
        if shipped:
            name, buttons = shipped["name"], shipped.get("buttons", ())
            return _Template(name, shipped["language"], shipped["body"], _PARAMETERS, buttons)
    raise LookupError(purpose)


def _own(organization_id: UUID, purpose: WhatsAppTemplate.Purpose) -> list[WhatsAppTemplate]:
    rows = WhatsAppTemplate.objects.filter(organization_id=organization_id, purpose=purpose, status=Status.APPROVED)
    return list(rows.order_by("language", "-created_at", "id"))


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


def pause(delivery: Delivery) -> None:
    """Stop using an organization's own template that Meta has refused, until staff say that it is approved again."""
    named = _template_in(delivery.request)
    rows = WhatsAppTemplate.objects.filter(organization_id=delivery.organization_id, status=Status.APPROVED)
    rows.filter(name=named.get("name"), language=(named.get("language") or {}).get("code")).update(status=Status.PAUSED)


def is_text(request: dict[str, Any] | None) -> bool:
    """Whether frozen bytes are free text, not a template."""
    try:
        return bool(json.loads((request or {})["body"])["type"] == "text")
    except (ValueError, KeyError, TypeError):
        return False


def name_in(request: dict[str, Any] | None) -> str:
    """The template that frozen bytes name."""
    return str(_template_in(request).get("name", "a template"))


def _template_in(request: dict[str, Any] | None) -> dict[str, Any]:
    try:
        found = json.loads((request or {})["body"])["template"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
