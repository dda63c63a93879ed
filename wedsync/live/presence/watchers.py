"""Tells the clients of this process that asked for it who has come to a channel, and who has left."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
import redis
import redis.asyncio
import structlog

from wedsync.live.access.bearers import Person
from wedsync.live.log.reader import ChannelKey
from wedsync.live.presence import store
from wedsync.live.presence.followers import Followers, followers
from wedsync.live.presence.store import Present, Unavailable

log = structlog.get_logger(__name__)
LOOK_SECONDS = 1.0
SETTLE_SECONDS = 5.0  # until all processes have written again what Redis lost
MOST_NAMED = 200
_AWAY = (redis.RedisError, OSError, TimeoutError)


class Client(Protocol):
    """A connection, as :class:`wedsync.live.fan_out.subscriptions.Client` describes it."""

    @property
    def framing(self) -> Callable[[Iterable[bytes]], bytes]:
        """How its transport frames texts."""

    @property
    def is_open(self) -> bool:
        """Whether anything can still be written."""

    def write(self, frames: bytes) -> None:
        """Send whole frames."""


@dataclass(eq=False)
class Watcher:
    """A client that wants to be told. ``sees_names``: it is told who they are; ``told``: what it knows."""

    client: Client
    sees_names: bool
    told: Present


class Watchers:
    """All channels that are watched in this process."""

    def __init__(self, here: Followers) -> None:
        self._here = here
        self._watchers: dict[ChannelKey, dict[Client, Watcher]] = {}
        self._settled_at = 0.0
        self._task: asyncio.Task[None] | None = None
        self._redis: redis.asyncio.Redis | None = None

    async def now(self, key: ChannelKey) -> Present:
        """Who follows a channel, everybody included who has begun in this process.

        Raises:
            Unavailable: Redis does not answer, or has lost what it knew a moment ago.
        """
        try:
            await self._here.written()
            found = await store.read(self._client(), key)
        except _AWAY as error:
            raise Unavailable from error
        if self._is_settling(found):
            raise Unavailable
        return found

    def watched_by(self, client: Client) -> int:
        """How many channels a client watches."""
        return sum(client in watchers for watchers in self._watchers.values())

    def add(self, key: ChannelKey, watcher: Watcher) -> None:
        """Tell a client from now on what changes."""
        self._watchers.setdefault(key, {})[watcher.client] = watcher
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._look())

    def remove(self, key: ChannelKey, client: Client) -> None:
        """Tell a client nothing more of a channel."""
        watchers = self._watchers.get(key, {})
        watchers.pop(client, None)
        if not watchers:
            self._watchers.pop(key, None)

    async def _look(self) -> None:
        while self._watchers:
            await asyncio.sleep(LOOK_SECONDS)
            self._let_go_of_ended()
            known: Present | None = None
            try:
                for key, watchers in list(self._watchers.items()):
                    known = next((each.told for each in watchers.values()), None)
                    self._tell(key, await store.read(self._client(), key, known))
            except _AWAY as error:
                log.warning("presence_not_read", error=type(error).__name__)

    def _client(self) -> "redis.asyncio.Redis":
        if self._redis is None:
            self._redis = store.connect()
        return self._redis

    def _let_go_of_ended(self) -> None:
        for key, watchers in list(self._watchers.items()):
            for client in [client for client in watchers if not client.is_open]:
                self.remove(key, client)

    def _tell(self, key: ChannelKey, present: Present) -> None:
        if self._is_settling(present):
            return
        texts: dict[tuple[str, bool], bytes] = {}
        for watcher in tuple(self._watchers.get(key, {}).values()):
            before, watcher.told = watcher.told, present
            if before.people == present.people or not watcher.client.is_open:
                continue
            known = before.stamp, watcher.sees_names
            if known not in texts:
                texts[known] = orjson.dumps(_change(key, before, present, sees_names=watcher.sees_names))
            watcher.client.write(watcher.client.framing([texts[known]]))

    def _is_settling(self, present: Present) -> bool:
        """Whether Redis has lost entries a moment ago, so that people only seem to have left."""
        if self._here.has_lease and not present.includes(self._here.process):
            self._settled_at = time.monotonic() + SETTLE_SECONDS
            self._here.write_all_again()
        return time.monotonic() < max(self._settled_at, self._here.lost_at + SETTLE_SECONDS)


def _change(key: ChannelKey, before: Present, now: Present, *, sees_names: bool) -> dict[str, Any]:
    joined, left = now.people - before.people, before.people - now.people
    frame: dict[str, Any] = {
        "op": "presence",
        "channel": key.name,
        "count": len(now.people),
        "joined": len(joined),
        "left": len(left),
    }
    return frame | {"people_joined": shown(joined), "people_left": shown(left)} if sees_names else frame


def shown(people: Iterable[Person]) -> list[dict[str, Any]]:
    """People as staff see them, by name; at most 200."""
    found = sorted(people, key=lambda person: (person.name, str(person.id)))[:MOST_NAMED]
    return [{"kind": person.kind.value, "id": str(person.id), "name": person.name} for person in found]


watchers = Watchers(followers)
