"""Hints: messages that make work start at once. The rows decide; a lost hint is found again by the sweep.

Redis may be slow, frozen or away. Whoever commits an event must not wait for it, so hints leave from threads of their
own, through bounded queues that drop when they are full.
"""

import asyncio
import atexit
import queue
import threading
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

import redis
import structlog
from celery import current_app
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction

from wedsync.live.channels import group_name
from wedsync.live.models import ChannelEvent
from wedsync.queues import DELIVER_TASK, QUEUE_PREFIX, ROUTE_TASK, Priority

log = structlog.get_logger(__name__)
MOST_WAITING = 10_000
LIVE_MESSAGE = "entries.ready"

T = TypeVar("T")
TaskHint = tuple[str, list[Any], dict[str, Any]]  # name, arguments, options
LiveHint = tuple[str, str]  # group, channel name


class Lane(Generic[T]):
    """One thread that passes items on to Redis, in order."""

    def __init__(self, name: str, make_send: Callable[[], Callable[[T], None]]) -> None:
        self._name = name
        self._make_send = make_send
        self._waiting: queue.Queue[T] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def offer(self, item: T) -> None:
        """Queue an item, or drop it where Redis has been away for long."""
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name=f"hints-{self._name}", daemon=True)
                self._thread.start()
        try:
            self._waiting.put_nowait(item)
        except queue.Full:
            log.warning("hint_dropped", lane=self._name)

    def _run(self) -> None:
        send = self._make_send()
        while True:
            item = self._waiting.get()
            try:
                send(item)
            except Exception as error:  # whatever Redis throws, the sweep finds the row
                log.warning("hint_failed", lane=self._name, error=type(error).__name__)
            finally:
                self._waiting.task_done()

    def flush(self, seconds: float) -> None:
        """Wait until all that was offered has left, at most so long."""
        finished = threading.Thread(target=self._waiting.join, daemon=True)
        finished.start()
        finished.join(seconds)


def _send_tasks() -> Callable[[TaskHint], None]:
    def send(item: TaskHint) -> None:
        name, arguments, options = item
        current_app.send_task(name, args=arguments, **options)

    return send


def _send_live() -> Callable[[LiveHint], None]:
    loop = asyncio.new_event_loop()

    def send(item: LiveHint) -> None:
        group, name = item
        layer = get_channel_layer()
        message = {"type": LIVE_MESSAGE, "channel": name}
        loop.run_until_complete(asyncio.wait_for(layer.group_send(group, message), timeout=5))

    return send


_tasks = Lane("tasks", _send_tasks)
_live = Lane("live", _send_live)


def flush(seconds: float = 1.0) -> None:
    """Let the task hints leave that were offered so far; for processes that are about to end."""
    _tasks.flush(seconds)


atexit.register(flush)


def event_stored(event: ChannelEvent, channels: Iterable[str]) -> None:
    """Wake routing and the sockets of the event's channels, once the open transaction is committed."""
    if event.routing == ChannelEvent.Routing.PENDING:
        _after_commit(_tasks, (ROUTE_TASK, [str(event.id)], {"queue": event.priority}))
    entries_added(event.organization_id, channels)


def entries_added(organization_id: UUID, channels: Iterable[str]) -> None:
    """Wake the sockets that follow these channels, once the open transaction is committed."""
    for name in channels:
        _after_commit(_live, (group_name(organization_id, name), name))


def delivery_due(delivery_id: UUID, priority: Priority | str, *, quick_attempts: int = 0) -> None:
    """Wake a worker for a delivery, once the open transaction is committed.

    ``quick_attempts``: how many of the quick retries are used up; Celery's own count starts at 0 with each message.
    """
    _after_commit(_tasks, (DELIVER_TASK, [str(delivery_id)], {"queue": str(priority), "retries": quick_attempts}))


def queue_length(queue_name: str) -> int:
    """How many messages wait in a Celery queue; 0 where Redis does not say."""
    try:
        return int(_broker().llen(f"{QUEUE_PREFIX}{queue_name}"))
    except redis.RedisError:
        return 0


@lru_cache(maxsize=1)
def _broker() -> redis.Redis:
    return redis.Redis.from_url(settings.BROKER_URL, socket_timeout=1, socket_connect_timeout=1)


def _after_commit(lane: Lane[T], item: T) -> None:
    """At once where no transaction is open."""
    transaction.on_commit(lambda: lane.offer(item))
