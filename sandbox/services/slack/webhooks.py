"""Slack incoming webhooks: `POST /services/T.../B.../...`.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import json
import math
import secrets
import time
from datetime import datetime
from types import MappingProxyType
from urllib.parse import urlencode

from sandbox.callbacks.sender import Callback
from sandbox.config import SandboxConfig, SlackConfig, SlackWebhook
from sandbox.services.slack.blocks import InvalidBlocks, check_blocks, flatten
from sandbox.signatures import slack_signature
from sandbox.storage.messages import Draft, Message
from sandbox.wire import Call, Json, NotJson, Reply, text_reply
from sandbox.world import World

MOST_ATTACHMENTS = 100
TEXT_LIMIT = 40_000
_PREFIX = "/services/"
_CHANNEL_ID = "C0SANDBOX"
_ERROR_OF_STATUS = MappingProxyType(
    {
        400: "invalid_payload",
        403: "action_prohibited",
        404: "no_service",
        410: "channel_is_archived",
        429: "rate_limited",
        500: "rollup_error",
    }
)
# https://docs.slack.dev/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks
_STATUS_OF_ERROR = MappingProxyType(
    {
        "invalid_payload": 400,
        "invalid_blocks": 400,
        "no_text": 400,
        "user_not_found": 400,
        "too_many_attachments": 400,
        "missing_text_or_fallback_or_attachments": 400,
        "action_prohibited": 403,
        "posting_to_general_channel_denied": 403,
        "invalid_token": 403,
        "channel_not_found": 404,
        "no_service": 404,
        "no_service_id": 404,
        "no_team": 404,
        "team_disabled": 404,
        "no_active_hooks": 404,
        "channel_is_archived": 410,
        "rate_limited": 429,
        "rollup_error": 500,
    }
)


class SlackRefusal(Exception):
    """A refusal in Slack's words."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error


class Slack:
    """Every configured webhook."""

    slug = "slack"

    def __init__(self, world: World) -> None:
        self._world = world

    def exists(self, config: SandboxConfig) -> bool:
        """Whether webhooks are configured."""
        return config.slack is not None

    def failure(self, status: int | None, code: int | str | None) -> Reply:
        """A fault in Slack's format; `code` is Slack's word for the error."""
        if status is None:
            status = _STATUS_OF_ERROR.get(str(code), 503)
        headers = {"Retry-After": "1"} if status == 429 else {}
        return text_reply(status, str(code) if code else _ERROR_OF_STATUS.get(status, "server_error"), headers)

    def answer(self, call: Call) -> Reply:
        """Accept or refuse a message."""
        config = self._world.config.current().slack
        assert config is not None
        webhook = _find_webhook(config, call.path)
        if webhook is None or call.method != "POST":
            return text_reply(404, "no_service")
        key = (self.slug, webhook.path)
        grant = self._world.buckets.take(key, per_second=config.rate_per_second, burst=config.burst)
        if not grant.allowed:
            return text_reply(429, "rate_limited", {"Retry-After": str(math.ceil(grant.retry_after))})
        try:
            body = _checked_body(call)
        except SlackRefusal as refusal:
            return text_reply(refusal.status, refusal.error)
        text = "\n".join(part for part in (body.get("text"), flatten(body.get("blocks"))) if part)
        # The path after T/B is the secret, so an account is named by its first two segments.
        account = "/".join(webhook.path.split("/")[:2])
        draft = Draft(secrets.token_hex(8), self.slug, account, webhook.channel, text, body)
        self._world.messages.add(draft, call)
        return text_reply(200, "ok")


def _find_webhook(config: SlackConfig, path: str) -> SlackWebhook | None:
    given = path.removeprefix(_PREFIX).encode() if path.startswith(_PREFIX) else b""
    for webhook in config.webhooks:
        if secrets.compare_digest(webhook.path.strip("/").encode(), given):
            return webhook
    return None


def _checked_body(call: Call) -> dict[str, Json]:
    try:
        body = call.json()
    except NotJson as error:
        raise SlackRefusal(400, "invalid_payload") from error
    if not isinstance(body, dict):
        raise SlackRefusal(400, "invalid_payload")
    text, blocks, attachments = body.get("text", ""), body.get("blocks", []), body.get("attachments", [])
    if not isinstance(text, str) or not isinstance(attachments, list):
        raise SlackRefusal(400, "invalid_payload")
    if len(attachments) > MOST_ATTACHMENTS:
        raise SlackRefusal(400, "too_many_attachments")
    try:
        check_blocks(blocks)
    except InvalidBlocks as mistake:
        raise SlackRefusal(400, "invalid_blocks") from mistake
    if not (text.strip() or blocks or attachments):
        raise SlackRefusal(400, "no_text")
    return body | {"text": text[:TEXT_LIMIT]} if text else body


def interaction(config: SlackConfig, message: Message, element: dict[str, Json], user: str) -> Callback | None:
    """A person pressed a button: `block_actions`, form-encoded and signed.

    https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
    """
    if config.callback_url is None:
        return None
    team = message.account.split("/")[0]
    action = element | {"action_ts": f"{time.time():.6f}"}
    body = message.body if isinstance(message.body, dict) else {}
    posted = f"{datetime.fromisoformat(message.received_at).timestamp():.6f}"
    payload: dict[str, Json] = {
        "type": "block_actions",
        "token": secrets.token_hex(12),
        "team": {"id": team, "domain": "sandbox"},
        "user": {"id": "U" + user.upper()[:10], "username": user, "name": user, "team_id": team},
        "channel": {"id": _CHANNEL_ID, "name": message.to.lstrip("#")},
        "container": {"type": "message", "message_ts": posted, "channel_id": _CHANNEL_ID, "is_ephemeral": False},
        "message": {"type": "message", "ts": posted, "text": body.get("text", ""), "blocks": body.get("blocks", [])},
        "trigger_id": secrets.token_hex(12),
        "actions": [action],
    }
    form = urlencode({"payload": json.dumps(payload, ensure_ascii=False)}).encode()

    def headers() -> dict[str, str]:
        timestamp = str(int(time.time()))
        return {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": slack_signature(config.signing_secret, timestamp, form),
        }

    return Callback(config.callback_url, form, headers)
