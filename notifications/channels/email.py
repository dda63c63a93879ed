"""Email through Resend: HTML and plain text, one recipient per mail.

https://resend.com/docs/api-reference/emails/send-email. The ``Idempotency-Key`` makes a repeated try harmless for 24 h.
"""

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from integrations.errors import CredentialsRefused, DeliveryError, Permanent, Throttled
from integrations.models import Delivery
from integrations.outbound import Call, Request, Response
from notifications.channels.base import Composed, PersonChannel, credentials_of
from notifications.models import Message
from notifications.wording import Content
from wedsync.queues import Priority
from wedsync.weddings.models import Channel

QUOTA = {"daily_quota_exceeded", "monthly_quota_exceeded"}
QUOTA_WAIT = 3600.0
_layouts = Environment(loader=FileSystemLoader(Path(__file__).parent / "layouts"), autoescape=True)


class Email(PersonChannel):
    """One mail to one address."""

    channel = Channel.EMAIL
    status_when_accepted = Message.Status.SENT

    def compose(self, content: Content, delivery: Delivery) -> Composed:
        """Lay out HTML and text; the sender's address belongs to the system."""
        urgent = delivery.priority == Priority.URGENT
        html = _layouts.get_template("email.html").render(content=content, urgent=urgent)
        text = f"{content.text}\n\n{content.about}\n" if content.about else f"{content.text}\n"
        body: dict[str, Any] = {
            "from": credentials_of(delivery)["from"],
            "to": [delivery.target],
            "subject": content.headline,
            "html": html,
            "text": text,
        }
        if urgent:
            body["headers"] = {"X-Priority": "1", "Importance": "high"}
        request = Request("POST", "/emails", json.dumps(body), {"Content-Type": "application/json"})
        return Composed(request, content.headline, text, html)

    def call(self, delivery: Delivery, request: Request, credentials: dict[str, str]) -> Call:
        """The delivery's id is the key, so retries carry the same one."""
        headers = {
            **request.headers,
            "Authorization": f"Bearer {credentials['api_key']}",
            "Idempotency-Key": str(delivery.id),
        }
        return Call(request.method, delivery.system.base_url.rstrip("/") + request.path, request.body.encode(), headers)

    def classify(self, response: Response) -> DeliveryError | None:
        """Resend's ``name`` of an error, where it says more than the status."""
        name = _name(response)
        if name in {"missing_api_key", "restricted_api_key", "invalid_api_key"}:
            return CredentialsRefused(f"Resend: {name}")
        if name in QUOTA:
            return Throttled(f"Resend: {name}", retry_after=max(response.retry_after or 0, QUOTA_WAIT))
        if name == "concurrent_idempotent_requests":
            busy = "Resend: the same mail is being taken right now"
            return Throttled(busy, retry_after=response.retry_after, whole_target=False)
        if name and (response.status == 403 or name == "invalid_idempotent_request"):
            return Permanent(f"Resend: {name}")
        return None

    def provider_id(self, response: Response) -> str:
        """Resend's id of the mail."""
        try:
            return str(json.loads(response.body)["id"])
        except (ValueError, KeyError, TypeError):
            return ""


def _name(response: Response) -> str:
    """Resend's name of an error; empty where the answer is none, or none of Resend's."""
    if response.status < 400:
        return ""
    try:
        return str(json.loads(response.body)["name"])
    except (ValueError, KeyError, TypeError):
        return ""
