"""The services' signature schemes: what they check on requests and put on their callbacks."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

TOLERANCE_SECONDS = 300
"""Standard Webhooks, Slack: timestamps further away are refused."""


class SignatureRefused(ValueError):
    """The signature is missing, malformed, too old or too new, or wrong; the text says which."""


def standard_webhooks_signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """One `v1,<base64>` entry. `secret` is `whsec_` + base64 of the key.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise SignatureRefused("the configured signing secret is not whsec_ + base64") from error
    signed = message_id.encode() + b"." + timestamp.encode() + b"." + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def check_standard_webhooks(secret: str, headers: dict[str, str], body: bytes, now: float) -> None:
    """Verify `webhook-id`, `webhook-timestamp` and `webhook-signature` (a space-separated list: keys may rotate).

    Raises:
        SignatureRefused: with the reason.
    """
    message_id, timestamp, given = (
        headers.get(f"webhook-{name}", "").strip() for name in ("id", "timestamp", "signature")
    )
    if not (message_id and timestamp and given):
        raise SignatureRefused("webhook-id, webhook-timestamp and webhook-signature are required")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 15):
        raise SignatureRefused("webhook-timestamp must be unix seconds")
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise SignatureRefused(f"webhook-timestamp is more than {TOLERANCE_SECONDS} s away")
    expected = standard_webhooks_signature(secret, message_id, timestamp, body).encode()
    if not any(hmac.compare_digest(expected, entry.encode()) for entry in given.split()):
        raise SignatureRefused("webhook-signature does not match")


def meta_signature(app_secret: str, body: bytes) -> str:
    """Meta's `X-Hub-Signature-256`."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def slack_signature(signing_secret: str, timestamp: str, body: bytes) -> str:
    """Slack's `X-Slack-Signature` for interactive requests."""
    signed = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(signing_secret.encode(), signed, hashlib.sha256).hexdigest()
