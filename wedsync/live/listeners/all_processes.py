"""The page's part: it asks all web processes who listens, and tells them whom to end."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID, uuid4

import orjson
import redis
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings

from wedsync.live.fan_out.hints import LIVE_GROUP
from wedsync.live.listeners.messages import END, WHO, Listener, answers_key

FIRST_SECONDS, NEXT_SECONDS = 2.0, 0.3
"""For the first answer, and then for each further one: how many processes there are is not known."""


class Unavailable(Exception):
    """Redis does not answer, so no process can be asked."""


@dataclass(frozen=True)
class Listeners:
    """``total``: of all processes, also those that are not listed; ``processes``: how many answered."""

    listed: Sequence[Listener]
    total: int
    processes: int


def who_listens(organization_id: UUID) -> Listeners:
    """The organization's open sockets and streams, the newest first.

    Raises:
        Unavailable: Redis does not answer.
    """
    question = str(uuid4())
    _tell({"type": WHO, "organization": str(organization_id), "question": question})
    answers = [orjson.loads(each) for each in _collected(question)]
    listed = [Listener.from_json(each) for answer in answers for each in answer["listeners"]]
    return Listeners(
        sorted(listed, key=lambda each: each.since, reverse=True),
        sum(answer["total"] for answer in answers),
        len(answers),
    )


def end(organization_id: UUID, listener: str, *, staff: str) -> None:
    """End one client, wherever it is; nothing happens if it is gone. ``staff``: by whom, for the log.

    Raises:
        Unavailable: Redis does not answer.
    """
    _tell({"type": END, "organization": str(organization_id), "listener": listener, "staff": staff})


def _tell(message: dict[str, str]) -> None:
    try:
        async_to_sync(get_channel_layer().group_send)(LIVE_GROUP, message)
    except (redis.RedisError, OSError) as error:
        raise Unavailable from error


def _collected(question: str) -> list[bytes]:
    """The answers that come before the silence is long enough."""
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=FIRST_SECONDS + 1)
    found: list[bytes] = []
    ends, pause = time.monotonic() + FIRST_SECONDS, FIRST_SECONDS
    try:
        while (left := min(pause, ends - time.monotonic())) > 0:
            answer = client.blpop([answers_key(question)], timeout=left)
            if answer is None:
                break
            found.append(cast("bytes", answer[1]))
            pause = NEXT_SECONDS
    except (redis.RedisError, OSError) as error:
        raise Unavailable from error
    finally:
        client.close()
    return found
