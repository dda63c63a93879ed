"""Slack: a button that a person pressed, as a form with one JSON field.

https://docs.slack.dev/interactivity/handling-user-interaction
https://docs.slack.dev/reference/interaction-payloads
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from integrations.models import System
from integrations.signatures.schemes import TimestampedHex
from notifications.channels.slack import ACTION
from notifications.feedback.notices import Effect, Pressed
from webhooks.callbacks import reading
from webhooks.callbacks.base import Answer, Notice, Provider, Unreadable
from webhooks.models import ProviderNotice
from wedsync.weddings.models import ContactChannel

# https://docs.slack.dev/authentication/verifying-requests-from-slack
SLACK = TimestampedHex("X-Slack-Request-Timestamp", "X-Slack-Signature", "v0=", "v0:{timestamp}:")
_FORM_FIELDS = 20
_CAPABILITIES = frozenset({"token", "response_url", "response_urls", "trigger_id"})
"""Each of these lets its holder act in Slack for a while. They stay in the receipt's body, kept as received."""


class Slack(Provider):
    """Slack does not retry an interaction, and shows the content of the answer to the person."""

    slug = "slack"
    label = "Slack"
    kind = System.Kind.SLACK
    signature = SLACK
    secret = "the signing secret"  # noqa: S105  (where it is found)
    answer = Answer("")

    def effect_of(self, notice: ProviderNotice) -> Effect | None:
        """See :class:`Provider`. Other apps' buttons, and those of ours that request nothing, do nothing."""
        user = reading.part(notice.data, "user")
        by = next(
            (name for key in ("name", "username", "id") if (name := reading.text(user, key))), "somebody in Slack"
        )
        actions = notice.data.get("actions")
        pressed = actions if notice.name == "block_actions" and isinstance(actions, list) else []
        ours = [each for each in pressed if isinstance(each, dict) and each.get("action_id") == ACTION]
        return Pressed(ContactChannel.SLACK, [reading.text(each, "value") for each in ours], by)

    def read(self, headers: Mapping[str, Sequence[str]], body: bytes, now: datetime, url: str = "") -> list[Notice]:
        """See :class:`Provider`."""
        payload = reading.json_object(_payload(body))
        name = reading.text(payload, "type")
        if not name:
            raise Unreadable("the payload has no type")
        notice = Notice(
            dedup_id=hashlib.sha256(body).hexdigest(),
            kind=ProviderNotice.Kind.INTERACTION,
            name=name[: reading.LONGEST_NAME],
            provider_id=_place(payload)[: reading.LONGEST_ID],
            occurred_at=reading.unix_time(_first_action(payload).get("action_ts") or payload.get("action_ts"), now),
            data={name: value for name, value in payload.items() if name not in _CAPABILITIES},
        )
        return [notice]


def _payload(body: bytes) -> bytes:
    try:
        form = parse_qs(body.decode("ascii"), strict_parsing=True, errors="replace", max_num_fields=_FORM_FIELDS)
    except ValueError as error:
        raise Unreadable("the body is not a form") from error
    values = form.get("payload", [])
    if len(values) != 1:
        raise Unreadable("the form has no payload, or several")
    return values[0].encode()


def _place(payload: dict[str, Any]) -> str:
    """The id of the message or view in which the person acted."""
    places = (("container", "message_ts"), ("message", "ts"), ("container", "view_id"), ("view", "id"))
    return next((found for parent, name in places if (found := reading.text(reading.part(payload, parent), name))), "")


def _first_action(payload: dict[str, Any]) -> dict[str, Any]:
    actions = payload.get("actions")
    return actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], dict) else {}
