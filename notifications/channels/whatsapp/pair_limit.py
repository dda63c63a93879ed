"""WhatsApp's limit for a pair, our number and one phone: a message each 6 s, and 45 at once after a rest.

https://developers.facebook.com/docs/whatsapp/cloud-api/overview#pair-rate-limits. Redis keeps it, on its own
clock; while Redis is away nothing is held, and WhatsApp says so itself. A fifth of the
burst is kept for what is urgent.
"""

import hashlib
from functools import cache

import redis
import structlog
from django.conf import settings

from integrations.models import Delivery
from wedsync.queues import Priority

log = structlog.get_logger(__name__)
SECONDS_EACH, BURST, KEPT_FOR_URGENT = 6.0, 45, 9
PATIENCE = 0.25  # seconds for Redis to answer
LONGEST_CLOSED = 3600.0
_MICROSECONDS = 1_000_000

_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local state = redis.call('HMGET', KEYS[1], 'due', 'closed')
local closed = tonumber(state[2]) or 0
if closed > now then return closed - now end
local each, room = tonumber(ARGV[1]), tonumber(ARGV[2])
local due = math.max(tonumber(state[1]) or 0, now)
if due + each - now > room * each then return due + each - now - room * each end
redis.call('HSET', KEYS[1], 'due', string.format('%.0f', due + each))
redis.call('PEXPIRE', KEYS[1], math.ceil((due + each - now) / 1000) + 1000)
return 0
"""
_CLOSE = """
local clock = redis.call('TIME')
local until_then = clock[1] * 1000000 + clock[2] + tonumber(ARGV[1])
redis.call('HSET', KEYS[1], 'closed', string.format('%.0f', until_then))
redis.call('PEXPIRE', KEYS[1], math.max(math.ceil(tonumber(ARGV[1]) / 1000) + 1000, redis.call('PTTL', KEYS[1])))
return 1
"""


def reserve(delivery: Delivery) -> float | None:
    """Take a message's place in its pair's rate; seconds to wait where there is none, else ``None``."""
    urgent = delivery.priority == Priority.URGENT
    room = BURST if urgent else BURST - KEPT_FOR_URGENT
    wait = _run(_TAKE, delivery, int(SECONDS_EACH * _MICROSECONDS), room)
    return wait / _MICROSECONDS if wait else None


def close(delivery: Delivery, seconds: float) -> None:
    """WhatsApp has refused the pair: nothing goes to it for so long, whatever else waits for it."""
    _run(_CLOSE, delivery, int(min(seconds, LONGEST_CLOSED) * _MICROSECONDS))


def _run(script: str, delivery: Delivery, *words: int) -> int:
    try:
        return int(client(settings.BREAKER_URL).eval(script, 1, _key(delivery), *words))
    except redis.RedisError as error:
        log.warning("pair_limit_unavailable", error=type(error).__name__)
        return 0


def _key(delivery: Delivery) -> str:
    """A phone number stands in no key in clear."""
    pair = hashlib.blake2b(f"{delivery.system_id}:{delivery.target}".encode(), digest_size=16).hexdigest()
    return f"wedsync:pair:{pair}"


@cache
def client(url: str) -> "redis.Redis":
    """Redis, with little patience."""
    return redis.Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
