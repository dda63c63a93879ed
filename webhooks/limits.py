"""Limits on requests per hour: per sender's address, and per connection.

Limits are counted per clock hour. Requests are counted in memory immediately, and together with the other web processes
through Redis a few times a second, so that no answer waits for Redis: while it is away or frozen, each process counts
alone (docs/adr/0022, 0086).
"""

import asyncio
import contextlib
import ipaddress
import time
from itertools import islice
from typing import NamedTuple

import redis.asyncio as redis
import structlog

log = structlog.get_logger(__name__)
MOST_COUNTERS = 100_000
SHARE_EVERY = 0.2  # seconds
MOST_SHARED = 1_000  # counters sent to Redis in one round
REDIS_WITHIN = 1.0  # seconds
CANCEL_EVERY = 0.05  # seconds
KEY_PREFIX = "wedsync:limits:"
HOUR = 3600
READS_PER_ADDRESS = 1_000  # bodies read over the limit, per hour
CHECKS_PER_ADDRESS = 120  # signatures checked over the limit, per hour
EMERGENCIES_PER_CONNECTION = 60  # passed over a limit, per hour
IPV6_CUSTOMER = 64  # bits; a customer with one of these addresses has them all


class Allowance(NamedTuple):
    """Whether this request may pass, the sender's limit, the requests left, and the seconds until a new window."""

    passes: bool
    limit: int
    remaining: int
    seconds: int

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers of every answer: ``RateLimit-Limit``, ``-Remaining``, ``-Reset``."""
        return [
            (b"ratelimit-limit", b"%d" % self.limit),
            (b"ratelimit-remaining", b"%d" % self.remaining),
            (b"ratelimit-reset", b"%d" % self.seconds),
        ]


class Counters:
    """Counts in this process. If there are too many, the oldest are forgotten.

    ``unshared``: counts that the other processes do not know yet.
    """

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self.unshared: dict[str, int] = {}

    def add(self, key: str) -> int:
        """Count one request; returns the count."""
        count = self._counts[key] = self._counts.get(key, 0) + 1
        self.unshared[key] = self.unshared.get(key, 0) + 1
        if len(self._counts) > MOST_COUNTERS:
            earliest = next(iter(self._counts))
            del self._counts[earliest]
            self.unshared.pop(earliest, None)
        return count

    def learn(self, key: str, total: int) -> None:
        """Note the count that all processes have reported together."""
        if key in self._counts:
            self._counts[key] = max(self._counts[key], total + self.unshared.get(key, 0))

    def used(self, key: str) -> int:
        """The present count."""
        return self._counts.get(key, 0)

    def reset(self) -> int:
        """Forget everything; returns how many counters there were."""
        forgotten = len(self._counts)
        self._counts.clear()
        self.unshared.clear()
        return forgotten


class Limit:
    """One kind of limit, such as the one per address."""

    def __init__(self, kind: str, per_hour: int) -> None:
        self._kind = kind
        self._per_hour = per_hour
        self.counters = Counters()
        self._hour = 0

    def count(self, name: str, per_hour: int | None = None) -> Allowance:
        """Count one request, and judge whether it may pass."""
        now = int(time.time())
        limit = self._per_hour if per_hour is None else per_hour
        used = self.counters.add(self._key(name, now))
        return Allowance(used <= limit, limit, max(0, limit - used), HOUR - now % HOUR)

    def allowance(self, name: str, per_hour: int | None = None) -> Allowance:
        """The present allowance, without counting a request."""
        now = int(time.time())
        limit = self._per_hour if per_hour is None else per_hour
        used = self.counters.used(self._key(name, now))
        return Allowance(True, limit, max(0, limit - used), HOUR - now % HOUR)

    def _key(self, name: str, now: int) -> str:
        """The counter's name, which includes the present hour; counters of earlier hours are forgotten."""
        hour = now // HOUR
        if hour != self._hour:
            self._hour = hour
            self.counters.reset()
        return f"{self._kind}/{name}/{hour}"


class Limits:
    """The limits on inbound requests, counted together with the other web processes."""

    def __init__(self, *, per_address: int, per_connection: int, redis_url: str) -> None:
        self.addresses = Limit("address", per_address)
        self.connections = Limit("connection", per_connection)
        # Shares for emergencies over these two limits, and over the size: see webhooks.vendor_events.over_limit.
        self.reads_over = Limit("address-read", READS_PER_ADDRESS)
        self.checks_over = Limit("address-check", CHECKS_PER_ADDRESS)
        self.emergencies_over = Limit("connection-emergency", EMERGENCIES_PER_CONNECTION)
        self.reads_large = Limit("address-large", CHECKS_PER_ADDRESS)
        over = (self.reads_over, self.checks_over, self.emergencies_over, self.reads_large)
        self._all = (self.addresses, self.connections, *over)
        self._redis = redis.Redis.from_url(redis_url, socket_timeout=REDIS_WITHIN, socket_connect_timeout=REDIS_WITHIN)
        self._task: asyncio.Task[None] | None = None
        self._away = self._stopped = False

    def start(self) -> None:
        """Start sharing the counts."""
        self._task = asyncio.get_running_loop().create_task(self._share())

    async def stop(self) -> None:
        """Stop sharing. Redis's client may mistake a cancellation for a broken connection, so cancel until it ends."""
        self._stopped = True
        while self._task and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=CANCEL_EVERY)
        with contextlib.suppress(redis.RedisError, OSError):
            await self._redis.aclose()

    async def _share(self) -> None:
        while not self._stopped:
            await asyncio.sleep(SHARE_EVERY)
            for limit in self._all:
                if limit.counters.unshared:
                    await self._exchange(limit.counters)

    async def _exchange(self, counters: Counters) -> None:
        shared = dict(islice(counters.unshared.items(), MOST_SHARED))
        for key in shared:
            del counters.unshared[key]
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for key, amount in shared.items():
                    pipeline.incrby(KEY_PREFIX + key, amount)
                    pipeline.expire(KEY_PREFIX + key, 2 * HOUR)
                totals = (await pipeline.execute())[::2]
        except (redis.RedisError, OSError) as error:
            for key, amount in shared.items():
                counters.unshared[key] = counters.unshared.get(key, 0) + amount
            self._note(away=True, error=type(error).__name__)
        else:
            for key, total in zip(shared, totals, strict=True):
                counters.learn(key, int(total))
            self._note(away=False)

    def _note(self, *, away: bool, error: str = "") -> None:
        """Log once that Redis is away, and once that it is back."""
        if away and not self._away:
            log.warning("limits_counted_alone", error=error)
        elif self._away and not away:
            log.info("limits_counted_together")
        self._away = away


def sender_name(address: str) -> str:
    """The name that a sender is counted under: its IPv4 address, or its IPv6 network of 64 bits."""
    if ":" not in address:
        return address
    parsed = ipaddress.IPv6Address(address)
    return str(parsed.ipv4_mapped or ipaddress.IPv6Network((parsed, IPV6_CUSTOMER), strict=False).network_address)
