"""What Resend posts to the product: the fate of an email, signed as by Svix.

https://resend.com/docs/dashboard/webhooks/event-types; the fate follows the testing addresses of
https://resend.com/docs/dashboard/emails/send-test-emails, `bounced+label@resend.dev` and so on.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sandbox.callbacks.sender import Callback, StatusStep
from sandbox.config import ResendAccount
from sandbox.signatures import standard_webhooks_signature
from sandbox.wire import Json, iso

_TESTING_DOMAIN = "@resend.dev"
CODES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sent": (),
        "delivered": (),
        "delivery_delayed": (),
        "opened": (),
        "clicked": (),
        "complained": (),
        "bounced": ("Permanent", "Transient", "Undetermined"),
        "failed": ("reached_daily_quota", "reached_monthly_quota"),
        "suppressed": ("previous_bounce", "previous_complaint"),
    }
)
"""The events of an email, each with its possible codes; the first is the default."""
_BOUNCES: Mapping[str, dict[str, Json]] = MappingProxyType(
    {
        "Permanent": {
            "subType": "General",
            "message": "The recipient's email address does not exist.",
            "diagnosticCode": ["550 5.1.1"],
        },
        "Transient": {
            "subType": "MailboxFull",
            "message": "The recipient's mailbox is full.",
            "diagnosticCode": ["452 4.2.2"],
        },
        "Undetermined": {
            "subType": "Undetermined",
            "message": "The recipient's server gave no reason.",
            "diagnosticCode": [],
        },
    }
)


@dataclass(frozen=True)
class Email:
    """An email that was accepted."""

    email_id: str
    body: dict[str, Json]
    to: list[str]


def status_steps(account: ResendAccount, email: Email) -> list[StatusStep]:
    """The events of an email: sent, then what its first recipient's address asks for."""

    def step(after_seconds: float, status: str) -> StatusStep:
        return StatusStep(after_seconds, status, lambda: event_callback(account, email, status))

    match _fate(email.to[0]):
        case "suppressed":
            return [step(0.3, "suppressed")]
        case "bounced":
            return [step(0.2, "sent"), step(0.6, "bounced")]
        case "complained":
            return [step(0.2, "sent"), step(0.6, "delivered"), step(1.0, "complained")]
    return [step(0.2, "sent"), step(0.6, "delivered")]


def event_callback(account: ResendAccount, email: Email, status: str, code: str | None = None) -> Callback | None:
    """One `email.<status>` event, if the account has a callback URL; `code` is one of the status's `CODES`."""
    if account.callback_url is None:
        return None
    now = iso(time.time())
    data: dict[str, Json] = {
        "email_id": email.email_id,
        "created_at": now,
        "from": email.body["from"],
        "to": email.to,
        "subject": email.body["subject"],
        "tags": {tag["name"]: tag["value"] for tag in email.body.get("tags") or []},
        "headers": [{"name": name, "value": value} for name, value in (email.body.get("headers") or {}).items()],
    }
    data |= _detail(status, code or next(iter(CODES[status]), ""))
    body = json.dumps({"type": f"email.{status}", "created_at": now, "data": data}, ensure_ascii=False).encode()
    message_id = "msg_" + secrets.token_urlsafe(20)

    def headers() -> dict[str, str]:
        timestamp = str(int(time.time()))
        signature = standard_webhooks_signature(account.webhook_secret, message_id, timestamp, body)
        return {
            "Content-Type": "application/json",
            "svix-id": message_id,
            "svix-timestamp": timestamp,
            "svix-signature": signature,
        }

    return Callback(account.callback_url, body, headers)


def _detail(status: str, code: str) -> dict[str, Json]:
    match status:
        case "bounced":
            return {"bounce": {"type": code} | _BOUNCES[code]}
        case "suppressed":
            message = f"The address is on the suppression list: {code.replace('_', ' ')}."
            return {"suppressed": {"type": "OnAccountSuppressionList", "reason": code, "message": message}}
        case "failed":
            return {"failed": {"reason": code}}
        case "clicked":
            link = {"link": "https://wedsync.example/", "timestamp": iso(time.time())}
            return {"click": link | {"ipAddress": "192.0.2.1", "userAgent": "WedSync sandbox"}}
    return {}


def _fate(address: str) -> str:
    local, at, domain = address.partition("@")
    return local.partition("+")[0] if at + domain == _TESTING_DOMAIN else "delivered"
