"""A web process's part: it lists its clients when asked, and ends the one that staff have chosen."""

import asyncio
from dataclasses import asdict
from itertools import islice
from typing import Any
from uuid import UUID

import orjson
import redis.asyncio
import structlog
from django.conf import settings

from wedsync.live.close_codes import CloseCode
from wedsync.live.fan_out.broadcasting import broadcaster
from wedsync.live.listeners.messages import END, KEPT_SECONDS, MOST_CHANNELS, MOST_LISTED, WHO, Listener, answers_key
from wedsync.live.open_clients import Listing, OpenClients, open_clients

log = structlog.get_logger(__name__)
WITHIN_SECONDS = 2.0


class Answers:
    """Answers for the clients of this process."""

    def __init__(self, clients: OpenClients) -> None:
        self._clients = clients
        self._redis: redis.asyncio.Redis | None = None
        self._running: set[asyncio.Task[None]] = set()

    def who(self, question: dict[str, Any]) -> None:
        """List the clients of an organization, the newest first."""
        found = self._of(question["organization"])
        listed = [asdict(_described(each)) for each in islice(reversed(found), MOST_LISTED)]
        answer = orjson.dumps({"total": len(found), "listeners": listed})
        task = asyncio.get_running_loop().create_task(self._give(answers_key(question["question"]), answer))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def end(self, order: dict[str, Any]) -> None:
        """End one client of an organization, if it is here."""
        for each in self._of(order["organization"]):
            if each.id == order["listener"]:
                log.info("client_ended_by_staff", listener=each.id, staff=order["staff"])
                each.client.end(CloseCode.RIGHT_WITHDRAWN, "ended by staff")

    def _of(self, organization: str) -> list[Listing]:
        return [each for each in self._clients if each.client.pass_.organization_id == UUID(organization)]

    async def _give(self, key: str, answer: bytes) -> None:
        if self._redis is None:
            self._redis = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=WITHIN_SECONDS)
        try:
            async with self._redis.pipeline() as both:
                both.rpush(key, answer)
                both.expire(key, KEPT_SECONDS)
                await both.execute()
        except (redis.RedisError, OSError) as error:
            log.warning("listeners_not_listed", error=type(error).__name__)


def _described(listing: Listing) -> Listener:
    client = listing.client
    person = client.pass_.person
    return Listener(
        listing.id,
        person.name,
        str(person.kind),
        client.transport,
        client.address,
        listing.since,
        list(islice(client.followed, MOST_CHANNELS)),
        len(client.followed),
        client.followed.events_written,
    )


def begin() -> None:
    """Answer from now on. Called once in each web process."""
    answers = Answers(open_clients)
    broadcaster.when_told |= {WHO: answers.who, END: answers.end}
