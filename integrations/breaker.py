"""The circuit breaker of a system: one Lua script per operation, on Redis' own clock (docs/adr/0005).

Closed: calls go out. Open: deliveries are held until it may be probed. Half-open: one leased probe at a time. Each
reopening lasts twice as long. A result of an older generation counts for nothing. Redis away: let through.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

import redis
import structlog
from django.conf import settings

log = structlog.get_logger(__name__)
KEY = "wedsync:breaker:{}"
PATIENCE = 0.3  # seconds for Redis; the delivery must not wait for it

_ASK = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local state = redis.call('HMGET', KEYS[1], 'open_until', 'probe_until', 'generation')
local open_until, probe_until = tonumber(state[1] or 0), tonumber(state[2] or 0)
local generation = state[3] or '0'
if open_until == 0 then return {1, generation, '0'} end
if now < open_until then return {0, generation, tostring(open_until - now)} end
if now < probe_until then return {0, generation, tostring(math.min(probe_until - now, 2))} end
redis.call('HSET', KEYS[1], 'probe_until', now + ARGV[1])
return {1, generation, '0'}
"""

_TELL = """
local key, verdict, generation, delivery = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local alone, threshold, first, longest = ARGV[4] == '1', tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local state = redis.call('HMGET', key, 'open_until', 'generation', 'failures', 'opens', 'first_delivery', 'several')
local open = tonumber(state[1] or 0) > 0
if (state[2] or '0') ~= generation then return 'late' end
local next_generation = tonumber(generation) + 1
local function reopen(opens)
  redis.call('HSET', key, 'open_until', now + math.min(first * 2 ^ (opens - 1), longest), 'probe_until', 0,
    'opens', opens, 'generation', next_generation, 'failures', 0, 'first_delivery', '', 'several', 0)
  redis.call('EXPIRE', key, math.ceil(longest * 4 + 3600))
  return 'opened'
end
if verdict == 'neutral' then
  if open then redis.call('HSET', key, 'probe_until', 0) end
  return 'unchanged'
end
if verdict == 'alive' then
  if not open then redis.call('HDEL', key, 'failures', 'first_delivery', 'several'); return 'unchanged' end
  redis.call('DEL', key)
  redis.call('HSET', key, 'generation', next_generation)
  redis.call('EXPIRE', key, math.ceil(longest * 4 + 3600))
  return 'closed'
end
if open then return reopen(tonumber(state[4] or 0) + 1) end
local failures = tonumber(state[3] or 0) + 1
local earlier = state[5] or ''
local several = state[6] == '1' or (earlier ~= '' and earlier ~= delivery)
if failures >= threshold and (several or alone) then return reopen(1) end
redis.call('HSET', key, 'failures', failures, 'first_delivery', earlier ~= '' and earlier or delivery,
  'several', several and 1 or 0, 'generation', generation)
redis.call('EXPIRE', key, 3600)
return 'unchanged'
"""


class Verdict(StrEnum):
    """What a call says about the health of its system."""

    ALIVE = "alive"
    FAILED = "failed"
    NEUTRAL = "neutral"


@dataclass(frozen=True)
class Permit:
    """Leave to call. ``wait``: seconds to hold the delivery where leave is not given. No generation: Redis is away."""

    granted: bool
    generation: str | None
    wait: float = 0.0


@lru_cache(maxsize=1)
def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.BREAKER_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)


def ask(system_id: UUID) -> Permit:
    """Ask for leave to call a system; in half-open this takes the probe."""
    try:
        granted, generation, wait = _redis().eval(_ASK, 1, KEY.format(system_id), settings.LEASE_SECONDS)
    except redis.RedisError as error:
        log.warning("breaker_unavailable", error=type(error).__name__)
        return Permit(granted=True, generation=None)
    return Permit(bool(granted), generation.decode(), float(wait))


def tell(system_id: UUID, permit: Permit, verdict: Verdict, *, delivery_id: UUID, alone: bool) -> str:
    """Report what came of a permitted call: ``opened``, ``closed``, ``late`` or ``unchanged``.

    ``alone``: nothing else is due for the system. Otherwise the failures must span two deliveries, so that one
    poisonous event can not close the way to a healthy system.
    """
    if permit.generation is None:
        return "unchanged"
    try:
        result: bytes = _redis().eval(
            _TELL,
            1,
            KEY.format(system_id),
            verdict.value,
            permit.generation,
            str(delivery_id),
            int(alone),
            settings.BREAKER_FAILURES,
            settings.BREAKER_OPEN_SECONDS,
            settings.BREAKER_OPEN_MAX_SECONDS,
        )
    except redis.RedisError as error:
        log.warning("breaker_unavailable", error=type(error).__name__)
        return "unchanged"
    change = result.decode()
    if change in {"opened", "closed"}:
        log.warning("breaker_changed", system=str(system_id), change=change)
    return change
