"""The people who follow channels in this process, and the lease by which the others learn of them."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import islice

import redis
import structlog

from wedsync.live.access.bearers import Person
from wedsync.live.log.reader import ChannelKey
from wedsync.live.presence import store
from wedsync.live.presence.store import Change

log = structlog.get_logger(__name__)
RENEW_SECONDS = 3.0
GATHER_SECONDS = 0.05  # changes of one moment are written together
WHOLE_AGAIN_SECONDS = store.KEPT_SECONDS / 3
AGAIN_SECONDS = 1.0  # after Redis did not answer
AT_ONCE = 1000  # changes in one write


class Followers:
    """Everybody who follows a channel here, once per channel, however many connections they have."""

    def __init__(self) -> None:
        self.process = store.new_process()
        self._here: dict[ChannelKey, Counter[Person]] = defaultdict(Counter)
        self._changed: dict[tuple[ChannelKey, Person], None] = {}
        self._has_changes = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._all_written = asyncio.Event()
        self._renewed_at = self._written_at = float("-inf")
        self.lost_at = float("-inf")
        """When this process last noticed that Redis had lost its lease, by the monotonic clock."""

    @property
    def has_lease(self) -> bool:
        """Whether this process has told Redis that it lives."""
        return self._renewed_at > float("-inf")

    async def written(self) -> None:
        """Wait until everybody who has begun is written.

        Raises:
            TimeoutError: Redis does not answer.
        """
        if self._task is not None:
            await asyncio.wait_for(self._all_written.wait(), store.WITHIN_SECONDS)

    def add(self, key: ChannelKey, person: Person) -> None:
        """One more connection of a person follows a channel."""
        self._here[key][person] += 1
        if self._here[key][person] == 1:
            self._note(key, person)

    def remove(self, key: ChannelKey, person: Person) -> None:
        """One connection of a person no longer follows a channel."""
        self._here[key][person] -= 1
        if self._here[key][person] < 1:
            del self._here[key][person]
            self._note(key, person)
        if not self._here[key]:
            del self._here[key]

    def write_all_again(self) -> None:
        """Redis has lost what this process wrote."""
        self._written_at = self._renewed_at = float("-inf")
        self._has_changes.set()

    def _note(self, key: ChannelKey, person: Person) -> None:
        self._changed[key, person] = None
        if self._task is None or self._task.done():
            self._has_changes, self._all_written = asyncio.Event(), asyncio.Event()
            self._task = asyncio.get_running_loop().create_task(self._keep())
        self._all_written.clear()
        self._has_changes.set()

    async def _keep(self) -> None:
        """Write what has changed and renew the lease, as long as the process lives."""
        async with store.connect() as client:
            while True:
                try:
                    await self._write(client)
                except (redis.RedisError, OSError, TimeoutError) as error:
                    log.warning("presence_not_written", error=type(error).__name__)
                    self._written_at = self._renewed_at = float("-inf")
                    await asyncio.sleep(AGAIN_SECONDS)
                    continue
                await self._wait()

    async def _wait(self) -> None:
        pause = max(0.0, self._renewed_at + RENEW_SECONDS - time.monotonic())
        try:
            await asyncio.wait_for(self._has_changes.wait(), pause)
        except TimeoutError:
            return
        await asyncio.sleep(GATHER_SECONDS)

    async def _write(self, client: "redis.asyncio.Redis") -> None:
        self._has_changes.clear()
        now = time.monotonic()
        if now >= self._renewed_at + RENEW_SECONDS:
            had_lease = await store.renew(client, self.process)
            if not had_lease and self.has_lease:
                self.lost_at = now
            self._renewed_at = now
            if not had_lease:
                self._written_at = float("-inf")
        if now >= self._written_at + WHOLE_AGAIN_SECONDS:
            self._changed |= dict.fromkeys((key, person) for key, people in self._here.items() for person in people)
            self._written_at = now
        while self._changed:
            await store.write(client, self.process, list(self._some()))
        self._all_written.set()

    def _some(self) -> Iterator[Change]:
        """Some of the changes, as things are now; those that are taken are no longer noted."""
        for key, person in list(islice(self._changed, AT_ONCE)):
            del self._changed[key, person]
            yield Change(key, person, person in self._here.get(key, ()))


followers = Followers()
