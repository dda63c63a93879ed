"""Slack incoming webhooks: one secret URL is one channel; the answer to a taken message is ``ok``.

https://api.slack.com/messaging/webhooks. Texts of others are escaped, so that they can not mention anyone.
"""

import json
from typing import Any

from integrations.errors import DeliveryError, Permanent, TargetGone
from integrations.models import Delivery
from integrations.outbound import Call, Request, Response
from notifications.channels.base import Composed, PersonChannel
from notifications.models import Message
from notifications.wording import Content, Fact
from wedsync.queues import Priority
from wedsync.weddings.models import Channel

HEADER_LIMIT = 150
FIELD_LIMIT = 2000
MOST_FIELDS = 10
GONE = {"no_service", "no_service_id", "no_team", "team_disabled", "no_active_hooks", "channel_not_found"}
GONE_STATUS = {403, 404, 410}


class Slack(PersonChannel):
    """One message to one team's channel."""

    channel = Channel.SLACK
    resends_marked = True
    status_when_accepted = Message.Status.SENT

    def compose(self, content: Content, delivery: Delivery) -> Composed:
        """Header, facts as fields, and who it is about; ``@channel`` when it is urgent."""
        mention = "<!channel> " if delivery.priority == Priority.URGENT else ""
        blocks: list[dict[str, Any]] = [
            {"type": "header", "text": {"type": "plain_text", "text": _plain(content.headline), "emoji": True}},
        ]
        if mention:
            blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": f"{mention}please read this now."}})
        fields = [{"type": "mrkdwn", "text": _field(fact)} for fact in content.facts[:MOST_FIELDS]]
        if fields:
            blocks.append({"type": "section", "fields": fields})
        about = escape(content.about or "WedSync")
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": about[:FIELD_LIMIT]}]})
        text = f"{mention}{escape(content.headline)}"
        body = {"text": text, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}
        request = Request("POST", "", json.dumps(body), {"Content-Type": "application/json"})
        return Composed(request, content.headline, content.text)

    def call(self, delivery: Delivery, request: Request, credentials: dict[str, str]) -> Call:
        """The path is the secret."""
        url = f"{delivery.system.base_url.rstrip('/')}/services/{credentials['webhook_path'].strip('/')}"
        return Call(request.method, url, request.body.encode(), request.headers)

    def classify(self, response: Response) -> DeliveryError | None:
        """Slack's plain-text errors."""
        code = response.text.strip()[:60]
        if response.status in GONE_STATUS or code in GONE:
            return TargetGone(f"Slack: {code or response.status}: this webhook does not exist any more")
        return Permanent(f"Slack: {code}") if response.status == 400 else None


def escape(text: str) -> str:
    """Slack's three characters; with them escaped no mention and no link can be made."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> str:
    """A header is plain text, where escapes would be shown; look-alikes can make no mention either."""
    return text.replace("<", "‹").replace(">", "›")[:HEADER_LIMIT]


def _field(fact: Fact) -> str:
    label = f"*{escape(fact.label)}*\n" if fact.label else ""
    return label + _fitting(fact.value, FIELD_LIMIT - len(label))


def _fitting(text: str, limit: int) -> str:
    """Escaped, and cut between characters where it is too long."""
    while len(escaped := escape(text)) > limit:
        text = text[: len(text) - (len(escaped) - limit + 4) // 5 - 1] + "…"
    return escaped
