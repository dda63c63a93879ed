"""Counts what each client does in a minute, together with the other web processes.

A fixed window, aligned to the clock's minutes, in Redis. While Redis is away each process counts alone, so that no
answer waits for it (docs/adr/0060).
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import redis
import structlog
from django.conf import settings

log = structlog.get_logger(__name__)
MINUTE = 60  # seconds
REDIS_WITHIN = 0.25  # seconds
ALONE_FOR = 5.0  # seconds after Redis did not answer
KEY_PREFIX = "wedsync:limits:api:"


@dataclass(frozen=True)
class Count:
    """How often it was done in this minute, this time included, and the seconds until the count starts again."""

    used: int
    seconds: int


class MinuteCounts:
    """Counts of the current minute. ``now``: the time in Unix seconds."""

    def __init__(self, client: "redis.Redis", now: Callable[[], float] = time.time) -> None:
        self._redis = client
        self._now = now
        self._lock = threading.Lock()
        self._minute = 0
        self._alone: dict[str, int] = {}
        self._alone_until = 0.0

    def count(self, name: str) -> Count:
        """Count once more what has this name."""
        now = self._now()
        minute = int(now // MINUTE)
        return Count(self._count(f"{name}:{minute}", minute), MINUTE - int(now) % MINUTE)

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
def shared() -> MinuteCounts:
    """The counts of this process."""
    timeouts = {"socket_timeout": REDIS_WITHIN, "socket_connect_timeout": REDIS_WITHIN}
    return MinuteCounts(redis.Redis.from_url(settings.REDIS_URL, **timeouts))
