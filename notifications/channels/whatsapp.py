"""WhatsApp Business Cloud API: approved template messages.

https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages. Errors are told apart by ``error.code``;
Meta's titles and HTTP status are not stable. There is no idempotency key on the other side.
"""

import json
from pathlib import Path
from typing import Any

from django.conf import settings

from integrations.errors import (
    CredentialsRefused,
    DeliveryError,
    OurFault,
    Permanent,
    ServerError,
    Throttled,
)
from integrations.models import Delivery
from integrations.outbound import Call, Request, Response
from notifications.channels.base import Composed, PersonChannel
from notifications.wording import Content
from wedsync.queues import Priority
from wedsync.weddings.models import Channel

GRAPH_VERSION = "v26.0"
LONGEST_PARAMETER = 600
TEMPLATES: dict[str, dict[str, Any]] = {
    template["name"]: template
    for template in json.loads((Path(__file__).parent / "whatsapp_templates.json").read_text(encoding="utf-8"))
}

PAIR_LIMIT = 131056  # between our number and one phone
_CREDENTIALS = {0, 190, 10, 131005, 368, 131031, 130497, 131042, 133010, 131045, *range(200, 300)}
_THROTTLED = {4, 80007, 130429, 131048, PAIR_LIMIT, 131057}
_TRANSIENT = {1, 2, 131000, 131016}
_OUR_FAULT = {3, 100, 131008, 131009, 131051, 132000, 132001, 132005, 132007, 132012, 132015, 132016}


class WhatsApp(PersonChannel):
    """One template message to one phone."""

    channel = Channel.WHATSAPP
    resends_marked = True

    def compose(self, content: Content, delivery: Delivery) -> Composed:
        """Fill an approved template's parameters; Meta allows no line breaks in them."""
        urgent = delivery.priority == Priority.URGENT
        template = TEMPLATES["wedding_emergency" if urgent else "wedding_update"]
        details = " · ".join(fact.line for fact in content.facts)
        parameters = [_parameter(text) for text in (content.recipient or "Hello", content.headline, details)]
        text = template["body"]
        for number, value in enumerate(parameters, 1):
            text = text.replace(f"{{{{{number}}}}}", value)
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": delivery.target,
            "type": "template",
            "template": {
                "name": template["name"],
                "language": {"code": template["language"]},
                "components": [
                    {"type": "body", "parameters": [{"type": "text", "text": value} for value in parameters]}
                ],
            },
            "biz_opaque_callback_data": str(delivery.id),
        }
        request = Request("POST", "/messages", json.dumps(body), {"Content-Type": "application/json"})
        return Composed(request, content.headline, text)

    def call(self, delivery: Delivery, request: Request, credentials: dict[str, str]) -> Call:
        """The sending number stands in the path."""
        base = delivery.system.base_url.rstrip("/")
        url = f"{base}/{GRAPH_VERSION}/{credentials['phone_number_id']}{request.path}"
        headers = {**request.headers, "Authorization": f"Bearer {credentials['access_token']}"}
        return Call(request.method, url, request.body.encode(), headers)

    def status_wait(self, delivery: Delivery) -> float | None:
        """A status carries our ``biz_opaque_callback_data``, and so says that the message was taken."""
        urgent = delivery.priority == Priority.URGENT
        return settings.URGENT_STATUS_WAIT_SECONDS if urgent else settings.STATUS_WAIT_SECONDS

    def classify(self, response: Response) -> DeliveryError | None:
        """The error that ``error.code`` stands for."""
        code = _code(response)
        if code is None:
            return None
        if code in _CREDENTIALS:
            return CredentialsRefused(f"WhatsApp {code}: the account or its token is refused")
        if code in _THROTTLED:
            of_number = code != PAIR_LIMIT
            return Throttled(f"WhatsApp {code}: too fast", retry_after=response.retry_after, whole_target=of_number)
        if code in _TRANSIENT:
            return ServerError(f"WhatsApp {code}: not available", retry_after=response.retry_after)
        if code in _OUR_FAULT:
            return OurFault(f"WhatsApp {code}: the template or its parameters are wrong")
        return Permanent(f"WhatsApp {code}: refused")

    def provider_id(self, response: Response) -> str:
        """The ``wamid`` of the accepted message."""
        try:
            return str(json.loads(response.body)["messages"][0]["id"])
        except (ValueError, KeyError, IndexError, TypeError):
            return ""


def _code(response: Response) -> int | None:
    """Meta's ``error.code``; ``None`` where the answer is no error, or none of Meta's."""
    if response.status < 400:
        return None
    try:
        return int(json.loads(response.body)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return None


def _parameter(text: str) -> str:
    """One line, without tabs or runs of spaces, within its length; never empty."""
    flat = " ".join(text.split())
    return (flat if len(flat) <= LONGEST_PARAMETER else flat[: LONGEST_PARAMETER - 1] + "…") or "–"
