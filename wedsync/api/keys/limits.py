"""How many requests one API key may make in a minute, counted together with the other web processes.

A fixed window, aligned to the clock's minutes, in Redis. While Redis is away each process counts alone, so that no
answer waits for it (docs/adr/0060). Emergencies have a share of their own, which ordinary requests cannot use up.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

import redis
import structlog
from django.conf import settings
from rest_framework.exceptions import APIException

log = structlog.get_logger(__name__)
MINUTE = 60  # seconds
REDIS_WITHIN = 0.25  # seconds
ALONE_FOR = 5.0  # seconds after Redis did not answer
KEY_PREFIX = "wedsync:limits:api:"


class Share(StrEnum):
    """The kinds of requests that are counted separately."""

    CALLS = "calls"
    TICKETS = "tickets"
    EMERGENCIES = "emergencies"

    @property
    def a_minute(self) -> int:
        """How many requests of this kind a key may make in a minute."""
        found: int = {
            Share.CALLS: settings.LIMIT_PER_KEY,
            Share.TICKETS: settings.LIMIT_TICKETS,
            Share.EMERGENCIES: settings.LIMIT_EMERGENCIES,
        }[self]
        return found


@dataclass(frozen=True)
class Allowance:
    """A key's limit, the requests it has used including this one, and the seconds until the count starts again."""

    limit: int
    used: int
    seconds: int

    @property
    def passes(self) -> bool:
        """Whether the request may go on."""
        return self.used <= self.limit

    @property
    def headers(self) -> dict[str, str]:
        """The same headers as on answers to webhooks."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "RateLimit-Reset": str(self.seconds),
        }


class TooMany(APIException):
    """The key has used up its share of this minute."""

    status_code = 429
    slug = "too-many-requests"

    def __init__(self, share: Share, allowance: Allowance) -> None:
        super().__init__(
            f"This key may make {allowance.limit} requests a minute ({share.value}). "
            f"Try again in {allowance.seconds} seconds."
        )
        self.wait = allowance.seconds


class Counters:
    """Counts of the current minute. ``now``: the time in Unix seconds."""

    def __init__(self, client: "redis.Redis", now: Callable[[], float] = time.time) -> None:
        self._redis = client
        self._now = now
        self._lock = threading.Lock()
        self._minute = 0
        self._alone: dict[str, int] = {}
        self._alone_until = 0.0

    def count(self, share: Share, api_key_id: UUID) -> Allowance:
        """Count one request."""
        now = self._now()
        minute = int(now // MINUTE)
        used = self._count(f"{share.value}:{api_key_id}:{minute}", minute)
        return Allowance(share.a_minute, used, MINUTE - int(now) % MINUTE)

    def _count(self, name: str, minute: int) -> int:
        if time.monotonic() >= self._alone_until:
            try:
                with self._redis.pipeline(transaction=False) as pipeline:
                    pipeline.incr(KEY_PREFIX + name)
                    pipeline.expire(KEY_PREFIX + name, 2 * MINUTE)
                    return int(pipeline.execute()[0])
            except (redis.RedisError, OSError) as error:
                self._alone_until = time.monotonic() + ALONE_FOR
                log.warning("api_limits_counted_alone", error=type(error).__name__)
        return self._count_alone(name, minute)

    def _count_alone(self, name: str, minute: int) -> int:
        with self._lock:
            if minute != self._minute:
                self._minute = minute
                self._alone.clear()
            self._alone[name] = self._alone.get(name, 0) + 1
            return self._alone[name]


@lru_cache(maxsize=1)
def _counters() -> Counters:
    timeouts = {"socket_timeout": REDIS_WITHIN, "socket_connect_timeout": REDIS_WITHIN}
    return Counters(redis.Redis.from_url(settings.REDIS_URL, **timeouts))


def count(share: Share, api_key_id: UUID) -> Allowance:
    """Count one request of a key."""
    return _counters().count(share, api_key_id)
