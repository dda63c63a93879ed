"""What Redis knows of who follows: one hash per channel, and the web processes whose entries count (docs/adr/0103).

A process's entries count as long as its lease is renewed. Redis may lose everything at any time; each process writes
its own entries again as soon as it notices.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import redis
import redis.asyncio
from django.conf import settings

from wedsync.live.access.bearers import Person, PersonKind
from wedsync.live.log.reader import ChannelKey

LEASE_MILLISECONDS = 10_000
KEPT_SECONDS = 3600  # without being written again
WITHIN_SECONDS = 1.0
_PROCESSES = "wedsync:presence:processes"
_STAMP = "stamp"  # of a channel's hash; changes with every write

RENEW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local until_ = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
return (until_ and tonumber(until_) > now) and 1 or 0
"""
READ = """
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', time[1] * 1000 + math.floor(time[2] / 1000))
local processes = redis.call('ZRANGE', KEYS[1], 0, -1)
table.sort(processes)
local alive = {}
for _, process in ipairs(processes) do alive[process] = true end
local stamp = (redis.call('HGET', KEYS[2], 'stamp') or '') .. '|' .. table.concat(processes, ',')
if stamp == ARGV[1] then return {stamp} end
local found, all = {stamp}, redis.call('HGETALL', KEYS[2])
for i = 1, #all, 2 do
    if all[i] ~= 'stamp' then
        local process, person = string.match(all[i], '^([^|]+)|(.+)$')
        if alive[process] then
            found[#found + 1] = person
            found[#found + 1] = all[i + 1]
        else
            redis.call('HDEL', KEYS[2], all[i])
        end
    end
end
return found
"""


class Unavailable(Exception):
    """Redis does not answer, so nobody knows who follows."""


class Change(NamedTuple):
    """Somebody follows a channel in this process, or does not any more."""

    key: ChannelKey
    person: Person
    is_here: bool


@dataclass(frozen=True)
class Present:
    """Who follows a channel: each person once. ``stamp``: says whether anything has changed since."""

    stamp: str
    people: frozenset[Person]

    def includes(self, process: str) -> bool:
        """Whether the entries of this process are counted."""
        return process in self.stamp.partition("|")[2].split(",")


def new_process() -> str:
    """A name for this process, never used before."""
    return uuid4().hex[:16]


async def renew(client: "redis.asyncio.Redis", process: str) -> bool:
    """Renew a process's lease; false: it had none, so its entries may be gone."""
    return bool(await client.eval(RENEW, 1, _PROCESSES, process, LEASE_MILLISECONDS))


async def write(client: "redis.asyncio.Redis", process: str, changes: Iterable[Change]) -> None:
    """Write who follows in a process, and who does not any more."""
    async with client.pipeline(transaction=False) as pipeline:
        touched = set()
        for change in changes:
            name = _name(change.key)
            touched.add(name)
            field = f"{process}|{change.person.kind}:{change.person.id}"
            if change.is_here:
                pipeline.hset(name, field, change.person.name)
            else:
                pipeline.hdel(name, field)
        for name in touched:
            pipeline.hset(name, _STAMP, uuid4().hex[:16])
            pipeline.expire(name, KEPT_SECONDS)
        await pipeline.execute()


async def read(client: "redis.asyncio.Redis", key: ChannelKey, known: Present | None = None) -> Present:
    """Who follows a channel; ``known``: returned again if nothing has changed."""
    found = await client.eval(READ, 2, _PROCESSES, _name(key), known.stamp if known else "")
    return _present(found, known)


def read_now(key: ChannelKey) -> Present:
    """Who follows a channel, read from a thread.

    Raises:
        Unavailable: Redis does not answer.
    """
    try:
        return _present(_client().eval(READ, 2, _PROCESSES, _name(key), ""), None)
    except (redis.RedisError, OSError) as error:
        raise Unavailable from error


def connect() -> "redis.asyncio.Redis":
    """A client for the event loop."""
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL, socket_timeout=WITHIN_SECONDS, socket_connect_timeout=WITHIN_SECONDS
    )


@lru_cache(maxsize=1)
def _client() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=WITHIN_SECONDS, socket_connect_timeout=WITHIN_SECONDS
    )


def _name(key: ChannelKey) -> str:
    return f"wedsync:presence:{key.organization_id}:{key.name}"


def _present(found: Sequence[Any], known: Present | None) -> Present:
    stamp, *fields = (each.decode() for each in found)
    if known and stamp == known.stamp:
        return known
    return Present(stamp, frozenset(map(_person, fields[::2], fields[1::2])))


def _person(written: str, name: str) -> Person:
    kind, _, id_ = written.partition(":")
    return Person(PersonKind(kind), UUID(id_), name)
