"""Slack incoming webhooks: one secret URL is one channel; the answer to an accepted message is ``ok``.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks. Others' texts are escaped, so that they
cannot mention anyone; limits are those of https://docs.slack.dev/reference/block-kit/blocks.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from integrations.accounts.rules import Credential, Rate
from integrations.errors import CredentialsRefused, DeliveryError, Permanent, TargetGone
from integrations.models import Delivery
from integrations.outbound import Call, Request, Response
from notifications import links
from notifications.channels.base import Composed, PersonChannel
from notifications.incidents import opening
from notifications.models import Message
from notifications.wording import Content, Fact
from notifications.wording.letters import cut
from wedsync.queues import Priority
from wedsync.weddings.models import ContactChannel

ACTION = "acknowledge"
_WEBHOOK_PATH = re.compile(r"/?[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+){2}/?")
CHOOSE = "choose_wedding"
HEADER_LIMIT, SECTION_LIMIT, FIELD_LIMIT, BUTTON_LIMIT = 150, 3000, 2000, 75
MOST_FIELDS = 10
LONG_FACT = 180  # characters; longer ones get their own section, since fields are shown side by side
LONG_TEXT = 2900
GONE = {
    "no_service",
    "no_service_id",
    "no_team",
    "team_disabled",
    "no_active_hooks",
    "channel_not_found",
    "channel_is_archived",
}
GONE_STATUS = {404, 410}
FORBIDDEN = 403
"""The webhook exists, but the workspace or the channel forbids its use. Its admin may allow it again."""
UNMENTIONED = frozenset({"incident.resolved", "ops.self_test"})
"""Urgent, but nobody needs to be mentioned."""


def webhook_path(value: str) -> None:
    """Accept the three parts that follow ``/services/`` in the URL of an incoming webhook.

    Raises:
        ValueError: it is something else; the sentence does not repeat it.
    """
    if "://" in value or "hooks.slack.com" in value or "services/" in value:
        raise ValueError("Enter only what follows /services/ in the webhook's URL: T…/B…/…")
    if not _WEBHOOK_PATH.fullmatch(value):
        raise ValueError("It must be the three parts that follow /services/ in the webhook's URL: T…/B…/…")


class Slack(PersonChannel):
    """One message to one team's channel."""

    credentials = (
        Credential(
            "webhook_path",
            "Webhook path",
            "The part after /services/ in Slack's webhook URL: T…/B…/…",
            check_format=webhook_path,
        ),
    )
    published_rate = Rate(1, 5)  # https://docs.slack.dev/apis/web-api/rate-limits: short bursts are tolerated

    channel = ContactChannel.SLACK
    status_when_accepted = Message.Status.SENT
    longest_headline = HEADER_LIMIT

    def needed(self, values: Mapping[str, str]) -> Sequence[str]:
        """The path is the secret."""
        return ("webhook_path",)

    def compose(self, content: Content, delivery: Delivery) -> Composed:
        """Header, facts, the couple, and a button if it is to be acknowledged; ``@channel`` if urgent."""
        mentions = delivery.priority == Priority.URGENT and delivery.event.type not in UNMENTIONED
        mention = "<!channel> " if mentions else ""
        blocks: list[dict[str, Any]] = [
            {"type": "header", "text": {"type": "plain_text", "text": _plain(content.headline), "emoji": True}},
        ]
        if mention:
            blocks.append(_section(f"{mention}{_opening(content)}"))
        blocks += _facts(content.facts)
        if content.asks:
            blocks.append(_button(content.words.get("acknowledge", "I'll take care of it")))
        if content.link and delivery.event.type == opening.WEDDING_UNKNOWN:
            blocks.append(_link_button(*content.link))
        about = _fitting(content.about or "WedSync", FIELD_LIMIT)
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": about}]})
        text = f"{mention}{escape(content.headline)}"
        body = {"text": text, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}
        request = Request("POST", "", json.dumps(body), {"Content-Type": "application/json"})
        return Composed(request, content.headline, content.text)

    def call(self, delivery: Delivery, request: Request, credentials: dict[str, str]) -> Call:
        """The path is the secret."""
        url = f"{delivery.system.base_url.rstrip('/')}/services/{credentials['webhook_path'].strip('/')}"
        return Call(request.method, url, request.body.encode(), request.headers)

    def overlong(self, lines: Sequence[str], locale: str, *, alone: bool) -> str:
        """Facts are shown side by side, at most ten."""
        if len(lines) - 1 <= MOST_FIELDS:
            return ""
        return f"With an example it has {len(lines) - 1} facts; Slack shows at most {MOST_FIELDS}."

    def classify(self, response: Response) -> DeliveryError | None:
        """Slack's plain-text errors."""
        code = response.text.strip()[:60]
        if response.status in GONE_STATUS or (response.status >= 400 and code in GONE):
            return TargetGone(f"Slack: {code or response.status}: this webhook no longer exists")
        if response.status == FORBIDDEN:
            return CredentialsRefused(
                f"Slack: {code or FORBIDDEN}: the workspace forbids this. Ask its admin, then resume the system"
            )
        return Permanent(f"Slack: {code}") if response.status == 400 else None


def escape(text: str) -> str:
    """Escape Slack's three special characters, so that no mention and no link can be made."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _opening(content: Content) -> str:
    words = content.words
    if content.escalated:
        return escape(words.get("not_acknowledged", "Nobody has confirmed this yet."))
    return escape(words.get("please_read", "Please read this now."))


def _facts(facts: tuple[Fact, ...]) -> list[dict[str, Any]]:
    """Short facts side by side, long ones over the whole width, in their order."""
    blocks: list[dict[str, Any]] = []
    fields: list[dict[str, Any]] = []

    def close() -> None:
        if fields:
            blocks.append({"type": "section", "fields": list(fields)})
            fields.clear()

    for fact in facts:
        if len(fact.value) > LONG_FACT:
            close()
            blocks.append(_section(_field(fact, LONG_TEXT)))
        else:
            fields.append({"type": "mrkdwn", "text": _field(fact, FIELD_LIMIT)})
            if len(fields) == MOST_FIELDS:
                close()
    close()
    return blocks[:40]


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:SECTION_LIMIT]}}


def _button(label: str) -> dict[str, Any]:
    button = {
        "type": "button",
        "action_id": ACTION,
        "style": "primary",
        "text": {"type": "plain_text", "text": label[:BUTTON_LIMIT], "emoji": True},
        "value": links.ACKNOWLEDGE_TOKEN,
    }
    return {"type": "actions", "block_id": ACTION, "elements": [button]}


def _link_button(label: str, url: str) -> dict[str, Any]:
    """A button that opens a page; Slack does not call us when it is pressed."""
    button = {
        "type": "button",
        "action_id": CHOOSE,
        "text": {"type": "plain_text", "text": label[:BUTTON_LIMIT], "emoji": True},
        "url": url,
    }
    return {"type": "actions", "block_id": CHOOSE, "elements": [button]}


def _plain(text: str) -> str:
    """A header is plain text, where escapes would be visible; look-alike characters cannot make mentions either."""
    return cut(text.replace("<", "‹").replace(">", "›"), HEADER_LIMIT)


def _field(fact: Fact, limit: int) -> str:
    label = f"*{escape(fact.label)}*\n" if fact.label else ""
    return label + _fitting(fact.value, limit - len(label))


def _fitting(text: str, limit: int) -> str:
    """Escaped, and cut between characters if it is too long."""
    while len(escaped := escape(text)) > limit:
        text = text[: len(text) - (len(escaped) - limit + 4) // 5 - 1] + "…"
    return escaped
