"""The scripts in Redis, and whether Redis counts as away."""

import threading
import time
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.retry import Retry

from integrations.admission.lanes import Lane

log = structlog.get_logger(__name__)
T = TypeVar("T")
PREFIX = "wedsync:admission:"
TIMEOUT = 0.3  # seconds for Redis; a delivery must not wait for it
AWAY_SECONDS = 1.0  # after a failure nobody asks Redis for this long, then one thread tries
SAY_EVERY = 30.0  # seconds between two lines in the log
MOST_ORPHANS = 1_000
MOST_CONNECTIONS = 1_000  # at most one per thread; running out would look like an absent Redis
SPANS = 6  # buckets of the window, as in rules.lua
MICROSECONDS = 1_000_000
_FOLDER = Path(__file__).parent


class Scripts:
    """The scripts of one Redis, registered once per process; run by EVALSHA, and loaded again after a flush."""

    def __init__(self, url: str) -> None:
        # A connection that broke while idle is replaced immediately; a time-out is not retried.
        again = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
        self.client = redis.Redis.from_url(
            url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=again, max_connections=MOST_CONNECTIONS
        )
        rules = (_FOLDER / "rules.lua").read_text()
        self._named: dict[str, Script] = {
            path.stem: self.client.register_script(f"{rules}\n{path.read_text()}")
            for path in _FOLDER.glob("*.lua")
            if path.stem != "rules"
        }

    def run(self, name: str, lane: Lane, *arguments: str | int | float, urgent: bool = False) -> Any:
        """Run a script. ``urgent``: for an urgent delivery, whose lease is shorter.

        Raises:
            RedisError: Redis is away, slow, or full.
        """
        return self._named[name](keys=keys_of(lane), args=(*_rules(lane, urgent=urgent), *arguments))


@lru_cache(maxsize=4)
def scripts_at(url: str) -> Scripts:
    """The scripts at a URL."""
    return Scripts(url)


def keys_of(lane: Lane) -> list[str]:
    """Breaker, probes, slots, urgent slots, bucket, pause. They share a hash tag, so a cluster keeps them together."""
    tag = f"{PREFIX}{{{lane.breaker_key}}}:"
    mine = f"{tag}{lane.system_id}:"
    return [f"{tag}breaker", f"{tag}probes", f"{mine}slots", f"{mine}urgent", f"{mine}bucket", f"{mine}pause"]


def _rules(lane: Lane, *, urgent: bool) -> tuple[str | int | float, ...]:
    """The first arguments of every script, in the order of rules.lua."""
    return (
        int((settings.URGENT_LEASE_SECONDS if urgent else settings.LEASE_SECONDS) * MICROSECONDS),
        settings.BREAKER_FAILURES,
        int(settings.BREAKER_OPEN_SECONDS * MICROSECONDS),
        int(settings.BREAKER_OPEN_MAX_SECONDS * MICROSECONDS),
        int(settings.BREAKER_WINDOW_SECONDS * MICROSECONDS / SPANS),
        settings.BREAKER_RATE,
        settings.BREAKER_VOLUME,
        settings.BREAKER_PROBES,
        settings.BREAKER_CLOSING,
        lane.call_limit,
        MICROSECONDS / lane.rate if lane.rate else 0,
        lane.burst,
        lane.kept,
    )


class Orphan(NamedTuple):
    """A slot that Redis may hold although nobody uses it: the script may have run after our time-out."""

    lane: Lane
    token: str
    urgent: bool


class Presence:
    """Whether Redis answers this process, and the slots to give back when it answers again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._away = False
        self._again_at = 0.0
        self._said_at = -SAY_EVERY
        self._orphans: deque[Orphan] = deque(maxlen=MOST_ORPHANS)
        self.on_return: Callable[[], None] = lambda: None

    def within(self, use: Callable[[Scripts], T], *, doubtful: Orphan | None = None) -> T | None:
        """The result of ``use``; ``None`` if Redis is away. While it is, one thread per second tries it.

        ``doubtful``: the slot that ``use`` may have taken if it fails without an answer.
        """
        if self._away and not self._my_turn():
            return None
        scripts = scripts_at(settings.BREAKER_URL)
        try:
            found = use(scripts)
        except redis.RedisError as error:
            self._gone(error)
            if doubtful:
                self._orphans.append(doubtful)
            return None
        if self._away or self._orphans:
            self._back(scripts)
        return found

    def orphan(self, orphan: Orphan) -> None:
        """Give a slot back once Redis answers."""
        self._orphans.append(orphan)

    def look_again(self) -> None:
        """Let the next caller try Redis without waiting for the second to pass."""
        self._again_at = 0.0

    def _my_turn(self) -> bool:
        with self._lock:
            if time.monotonic() < self._again_at:
                return False
            self._again_at = time.monotonic() + AWAY_SECONDS
            return True

    def _gone(self, error: redis.RedisError) -> None:
        with self._lock:
            now = time.monotonic()
            self._away, self._again_at = True, now + AWAY_SECONDS
            due = now - self._said_at >= SAY_EVERY
            if due:
                self._said_at = now
        if due:
            log.warning("breaker_unavailable", error=type(error).__name__)

    def _back(self, scripts: Scripts) -> None:
        with self._lock:
            returned, self._away = self._away, False
        if returned:
            self.on_return()
        while self._orphans:
            try:
                orphan = self._orphans.popleft()
            except IndexError:  # another thread took the last one
                return
            try:
                scripts.run("give_back", orphan.lane, orphan.token, int(orphan.urgent), 1, 0)
            except redis.RedisError as error:
                self._orphans.append(orphan)
                self._gone(error)
                return


presence = Presence()
