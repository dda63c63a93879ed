"""WhatsApp Business Management API: `GET` and `POST /{version}/{waba_id}/message_templates`.

https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account/message_templates
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from pydantic import ValidationError

from sandbox.config import WhatsAppAccount, WhatsAppTemplate
from sandbox.services.whatsapp.errors import INVALID_PARAMETER, GraphError
from sandbox.services.whatsapp.review import refusal_of
from sandbox.wire import Call, Json, NotJson, Reply, json_reply

MOST_AT_ONCE = 100
USUAL_AT_ONCE = 25
_FILTERS = ("name", "language", "status", "category")


def submit_template(known: Sequence[WhatsAppTemplate], waba_id: str, call: Call) -> tuple[WhatsAppTemplate, Reply]:
    """Review a submitted template immediately, as Meta's automatic review does.

    Returns the template, and the answer that approves it.

    Args:
        known: the templates that the business account already has.

    Raises:
        GraphError: 100 with Meta's subcode and a text for people, if it is refused.
    """
    try:
        template = _submitted(call.json())
    except (NotJson, ValidationError, TypeError, AttributeError, KeyError) as error:
        raise GraphError(
            INVALID_PARAMETER, "The body is not a template: it needs name, language, components."
        ) from error
    refusal = refusal_of(template, known)
    if refusal is not None:
        raise GraphError(INVALID_PARAMETER, refusal.text, refusal.subcode, refusal.title)
    made = _public(waba_id, template)
    return template, json_reply(200, {name: made[name] for name in ("id", "status", "category")})


def _submitted(said: Json) -> WhatsAppTemplate:
    parts = {str(each["type"]).upper(): each for each in said["components"]}
    buttons = [{**each, "type": str(each["type"]).lower()} for each in parts.get("BUTTONS", {}).get("buttons", [])]
    return WhatsAppTemplate.model_validate(
        {
            "name": said["name"],
            "language": said["language"],
            "category": said.get("category", "UTILITY"),
            "body": parts["BODY"]["text"],
            "header": parts.get("HEADER", {}).get("text", ""),
            "footer": parts.get("FOOTER", {}).get("text", ""),
            "buttons": buttons,
        }
    )


def list_templates(accounts: Sequence[WhatsAppAccount], submitted: Sequence[WhatsAppTemplate], call: Call) -> Reply:
    """One page of the business account's templates, by name and language; `paging` leads to the next.

    Args:
        accounts: the numbers of one business account that the caller's token may see; they share their templates.
        submitted: the templates submitted since.
        call: its query may hold Meta's `name, language, status, category, limit, after`.

    Raises:
        GraphError: 100 for an invalid limit or cursor.
    """
    query = call.query
    every = [*(each for account in accounts for each in account.templates), *submitted]
    found = {(each.name, each.language): each for each in every}
    listed = [template for _, template in sorted(found.items()) if _matches(template, query)]
    limit, start = _limit(query), _place(query.get("after", ""))
    page = listed[start : start + limit]
    answer: dict[str, Json] = {"data": [_public(accounts[0].waba_id, template) for template in page]}
    if page:
        answer["paging"] = {"cursors": {"before": _cursor(start), "after": _cursor(start + len(page))}}
    if start + limit < len(listed):
        asked = dict(query) | {"limit": str(limit), "after": _cursor(start + limit)}
        answer["paging"]["next"] = f"http://{call.headers.get('host', '')}/whatsapp{call.path}?{urlencode(asked)}"
    return json_reply(200, answer)


def _matches(template: WhatsAppTemplate, query: Mapping[str, str]) -> bool:
    return all(query.get(name, "") in ("", getattr(template, name)) for name in _FILTERS)


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit", str(USUAL_AT_ONCE))
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text)):
        raise GraphError(INVALID_PARAMETER, "limit must be a positive integer.")
    return min(int(text), MOST_AT_ONCE)


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(str(place).encode()).decode()


def _place(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor.encode()).decode("ascii"))
    except ValueError as error:
        raise GraphError(INVALID_PARAMETER, "Invalid cursors values.") from error


def _public(waba_id: str, template: WhatsAppTemplate) -> dict[str, Json]:
    components: list[dict[str, Json]] = []
    if template.header:
        components.append({"type": "HEADER", "format": "TEXT", "text": template.header})
    components.append({"type": "BODY", "text": template.body})
    if template.footer:
        components.append({"type": "FOOTER", "text": template.footer})
    if template.buttons:
        buttons = [
            {"type": button.type.upper(), "text": button.text} | ({"url": button.url} if button.url else {})
            for button in template.buttons
        ]
        components.append({"type": "BUTTONS", "buttons": buttons})
    digest = hashlib.sha256(f"{waba_id}/{template.name}/{template.language}".encode()).digest()
    return {
        "name": template.name,
        "parameter_format": "POSITIONAL" if "{{1}}" in template.body or "{{" not in template.body else "NAMED",
        "components": components,
        "language": template.language,
        "status": template.status,
        "category": template.category,
        "id": str(int.from_bytes(digest[:6], "big")),
    }
