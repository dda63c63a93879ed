"""The message templates that Meta has approved: the shipped ones, and which one a message uses.

An organization's own rows take precedence over the shipped ones. Their text is fixed at Meta; the copy here is for
previews and for the sandbox. Shipped ones have their version in their names: an organization that had earlier ones
approved has these as its own rows, and continues with them until the newer ones are approved (docs/adr/0071).
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from integrations.models import Delivery
from notifications.channels.whatsapp import frozen_messages
from notifications.models import WhatsAppTemplate
from notifications.wording import DEFAULT_LANGUAGE

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
class Template:
    """A template at Meta. ``parameters``: the names of the values that fill its placeholders, in order."""

    name: str
    language: str
    body: str
    parameters: Sequence[str]
    buttons: Iterable[dict[str, str]]


def chosen(language: str, purpose: WhatsAppTemplate.Purpose, organization_id: UUID) -> Template:
    """In the reader's language the organization's own template, then the shipped one; else the same in English."""
    rows = _own(organization_id, purpose) or (_own(organization_id, Purpose.UPDATE) if purpose == "digest" else [])
    for spoken in dict.fromkeys((language, DEFAULT_LANGUAGE)):
        for row in rows:
            if row.language.split("_")[0] == spoken:
                return Template(row.name, row.language, row.body, row.parameters, row.buttons)
        shipped = _BY_NAME.get((_NAMES[purpose], spoken))
        if shipped:
            name, buttons = shipped["name"], shipped.get("buttons", ())
            return Template(name, shipped["language"], shipped["body"], _PARAMETERS, buttons)
    raise LookupError(purpose)


def _own(organization_id: UUID, purpose: WhatsAppTemplate.Purpose) -> list[WhatsAppTemplate]:
    rows = WhatsAppTemplate.objects.filter(organization_id=organization_id, purpose=purpose, status=Status.APPROVED)
    return list(rows.order_by("language", "-created_at", "id"))


def pause(delivery: Delivery) -> None:
    """Stop using an organization's own template that Meta has refused, until staff say that it is approved again."""
    named = frozen_messages.template_in(delivery.request)
    rows = WhatsAppTemplate.objects.filter(organization_id=delivery.organization_id, status=Status.APPROVED)
    rows.filter(name=named.get("name"), language=(named.get("language") or {}).get("code")).update(status=Status.PAUSED)
