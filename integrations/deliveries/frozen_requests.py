"""A delivery's frozen request as people may see it."""

import json
from typing import Any

from integrations.models import Delivery
from wedsync.weddings.models import ContactChannel

_SENDER = ("from", "reply_to")


def shown(delivery: Delivery) -> dict[str, Any] | None:
    """The request without its sender, which older emails froze; today the sender is added for each try.

    ``None``: nothing is frozen yet.
    """
    request: dict[str, Any] | None = delivery.request
    if not request or delivery.channel != ContactChannel.EMAIL:
        return request
    try:
        body = json.loads(request["body"])
    except (ValueError, KeyError, TypeError):
        return request
    if not isinstance(body, dict) or not any(name in body for name in _SENDER):
        return request
    return {**request, "body": json.dumps({name: value for name, value in body.items() if name not in _SENDER})}
