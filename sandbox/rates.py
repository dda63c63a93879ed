"""Token buckets for the services' published rate limits."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

_MOST_BUCKETS = 50_000


@dataclass(frozen=True)
class Grant:
    """A bucket's answer: `retry_after` and `reset_after` are seconds."""

    allowed: bool
    remaining: int
    retry_after: float
    reset_after: float


@dataclass
class _Bucket:
    tokens: float
    refilled_at: float


class TokenBuckets:
    """One bucket per key, full at first use."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, ...], _Bucket] = {}

    def take(self, key: tuple[str, ...], *, per_second: float, burst: int) -> Grant:
        """Take a token from the bucket of `key`, if there is one."""
        now = self._clock()
        if len(self._buckets) > _MOST_BUCKETS:
            self._buckets.clear()  # better to allow too much than to grow without end
        bucket = self._buckets.setdefault(key, _Bucket(float(burst), now))
        bucket.tokens = min(float(burst), bucket.tokens + (now - bucket.refilled_at) * per_second)
        bucket.refilled_at = now
        allowed = bucket.tokens >= 1
        if allowed:
            bucket.tokens -= 1
        retry_after = 0.0 if allowed else (1 - bucket.tokens) / per_second
        return Grant(allowed, int(bucket.tokens), retry_after, (burst - bucket.tokens) / per_second)
