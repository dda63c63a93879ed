"""How many requests a socket may make."""

import time
from typing import Any

from django.conf import settings

from wedsync.live.channels import MOST_CHANNELS
from wedsync.live.error_codes import ErrorCode
from wedsync.live.fan_out.followed import Followed
from wedsync.live.sockets.operations.requests import RequestRefused

MINUTE = 60  # seconds


class RequestCount:
    """One socket's requests of this minute; subscribing to further channels is free, up to the limit for those."""

    def __init__(self) -> None:
        self._minute = self._asked = 0

    def count(self, content: Any, followed: Followed) -> None:
        """Count a request.

        Raises:
            RequestRefused: it is one too many.
        """
        if _follows_more(content, followed):
            return
        minute = int(time.monotonic() // MINUTE)
        self._asked = self._asked + 1 if minute == self._minute else 1
        self._minute = minute
        if self._asked > settings.LIMIT_PER_TICKET:
            raise RequestRefused(
                ErrorCode.TOO_MANY_REQUESTS,
                f"a socket may make {settings.LIMIT_PER_TICKET} requests a minute, not counting subscriptions; wait",
            )


def _follows_more(content: Any, followed: Followed) -> bool:
    if not isinstance(content, dict) or content.get("op") != "subscribe":
        return False
    named = content.get("channels")
    names = list(named) if isinstance(named, dict) else [content.get("channel")]
    more = [name for name in names if isinstance(name, str) and name not in followed]
    return bool(more) and len(more) == len(names) and len(followed) + len(more) <= MOST_CHANNELS
