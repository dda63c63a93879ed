"""Hints: messages that make work start immediately. The rows decide; the sweep finds the row of a lost hint.

Redis may be slow, frozen or away. Committing an event must not wait for it, so separate threads send the hints
(:mod:`wedsync.live.fan_out.hint_queues`). Waiting hints are sent together: one message asks for many events to be
routed, and one tells all web processes about many channels.
"""

import asyncio
import atexit
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import redis
import structlog
from celery import current_app
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction

from wedsync.live.fan_out.hint_queues import HintQueue
from wedsync.live.models import ChannelEvent
from wedsync.queues import ALARM_TASK, DELIVER_TASK, QUEUE_PREFIX, ROUTE_TASK, TAKE_TASK, Priority

log = structlog.get_logger(__name__)
EVENTS_A_MESSAGE = 200  # routed one after another, in parallel with other messages
MESSAGES_A_SYSTEM = 16  # per queue; twice what most systems may have in flight
MESSAGES_KNOWN_FOR = 10  # seconds
LONGEST_REST_OF_SYSTEM = 1.0  # seconds
LIVE_GROUP = "live"  # every web process is a member
LIVE_MESSAGE = "entries.ready"

T = TypeVar("T")


class RouteHint(NamedTuple):
    """An event that waits for routing."""

    event_id: str
    queue: str


class NoticeHint(NamedTuple):
    """A connection has notices from its provider that wait to take effect."""

    connection_id: str
    queue: str


class AlarmHint(NamedTuple):
    """The receipt of a refused or held emergency that staff must be told of."""

    receipt_id: str


class DeliveryHint(NamedTuple):
    """A delivery that is due; without an id, whatever is due for a system.

    ``countdown``: seconds that the message waits in a worker's memory; 0: none.
    """

    delivery_id: str | None
    queue: str
    system_id: str
    quick_attempts: int = 0
    countdown: float = 0.0


TaskHint = RouteHint | DeliveryHint | NoticeHint | AlarmHint


def _send_tasks() -> Callable[[list[TaskHint]], None]:
    def send(hints: list[TaskHint]) -> None:
        for _ in _sent(hints):
            pass

    return send


def send_now(hints: Sequence[TaskHint]) -> list[TaskHint]:
    """Send hints from this thread; returns those that were not sent because Redis is away.

    A hint for a crowded system counts as sent: other messages cover it.
    """
    left = dict.fromkeys(hints)
    try:
        for sent in _sent(list(hints)):
            for hint in sent:
                left.pop(hint, None)
    except Exception as error:  # whatever Redis raises
        log.warning("hints_failed", queue="none", error=type(error).__name__, hints=len(left))
    return list(left)


def _sent(hints: list[TaskHint]) -> Iterator[Sequence[TaskHint]]:
    """Send hints in few messages; yields after each message the hints it carried."""
    if alarms := [hint for hint in hints if isinstance(hint, AlarmHint)]:
        current_app.send_task(ALARM_TASK, args=[[hint.receipt_id for hint in alarms]], queue=Priority.URGENT.value)
        yield alarms
    events: dict[str, list[RouteHint]] = defaultdict(list)
    for hint in hints:
        if isinstance(hint, RouteHint):
            events[hint.queue].append(hint)
    for queue_name in sorted(events, key=_by_urgency):
        several = events[queue_name]
        for start in range(0, len(several), EVENTS_A_MESSAGE):
            carried = several[start : start + EVENTS_A_MESSAGE]
            current_app.send_task(ROUTE_TASK, args=[[hint.event_id for hint in carried]], queue=queue_name)
            yield carried
    for told in dict.fromkeys(hint for hint in hints if isinstance(hint, NoticeHint)):
        current_app.send_task(TAKE_TASK, args=[told.connection_id, told.queue], queue=told.queue)
        yield [told]
    due = [hint for hint in hints if isinstance(hint, DeliveryHint)]
    with_room = _with_room(due)
    yield list(set(due) - set(with_room))
    for hint in with_room:
        options: dict[str, Any] = {"queue": hint.queue, "retries": hint.quick_attempts}
        if hint.countdown:
            options["countdown"] = hint.countdown
        current_app.send_task(DELIVER_TASK, args=[hint.delivery_id, hint.system_id], **options)
        yield [hint]


def _by_urgency(queue_name: str) -> int:
    return -Priority(queue_name).rank


def _with_room(hints: list[DeliveryHint]) -> list[DeliveryHint]:
    """The hints whose system has few messages in the queue.

    A worker that takes a message continues with whatever else is due for its system, so more messages would only delay
    those of other systems. Redis forgets a count some seconds after the last message. Refused hints do not prolong it,
    or lost messages would count forever and a busy system would never get another.
    """
    at_once = [hint for hint in hints if not hint.countdown]
    if not at_once:
        return hints
    with _broker().pipeline(transaction=False) as pipeline:
        for hint in at_once:
            key = _messages_key(hint.queue, hint.system_id)
            pipeline.set(key, 0, ex=MESSAGES_KNOWN_FOR, nx=True)
            pipeline.incr(key)
            pipeline.exists(_resting_key(hint.system_id))
        answers = pipeline.execute()
    crowded = {
        id(hint)
        for hint, count, resting in zip(at_once, answers[1::3], answers[2::3], strict=True)
        if count > MESSAGES_A_SYSTEM or (resting and hint.queue != Priority.URGENT)
    }
    with _broker().pipeline(transaction=False) as pipeline:
        for hint in at_once:
            key = _messages_key(hint.queue, hint.system_id)
            if id(hint) in crowded:
                pipeline.decr(key)
            else:
                pipeline.expire(key, MESSAGES_KNOWN_FOR)
        pipeline.execute()
    return [hint for hint in hints if id(hint) not in crowded]


def _messages_key(queue_name: str, system_id: str) -> str:
    return f"wedsync:messages:{queue_name}:{system_id}"


def _resting_key(system_id: str) -> str:
    return f"wedsync:resting:{system_id}"


def rest(system_id: UUID, seconds: float) -> None:
    """Send no hints for a system that accepts nothing for a while, one second at most; urgent ones are still sent."""
    try:
        _broker().set(_resting_key(str(system_id)), 1, px=max(1, int(min(seconds, LONGEST_REST_OF_SYSTEM) * 1000)))
    except redis.RedisError as error:
        log.warning("rest_not_noted", error=type(error).__name__)


def taken(queue_name: str, system_id: str) -> None:
    """Count down when a worker has taken a system's message from a queue."""
    try:
        _count_down()(keys=[_messages_key(queue_name, system_id)])
    except redis.RedisError as error:
        log.warning("message_not_counted", error=type(error).__name__)


def _send_live() -> Callable[[list[str]], None]:
    loop = asyncio.new_event_loop()

    def send(channel_keys: list[str]) -> None:
        message = {"type": LIVE_MESSAGE, "channels": list(dict.fromkeys(channel_keys)), "sent_at": time.time()}
        loop.run_until_complete(asyncio.wait_for(get_channel_layer().group_send(LIVE_GROUP, message), timeout=5))

    return send


_tasks: HintQueue[TaskHint] = HintQueue("tasks", _send_tasks)
_live: HintQueue[str] = HintQueue("live", _send_live)


def flush(seconds: float = 1.0) -> None:
    """Send the task hints offered so far; for processes that are about to end."""
    _tasks.flush(seconds)


atexit.register(flush)


def channel_key(organization_id: UUID | str, channel: str) -> str:
    """A channel's key in messages between web processes."""
    return f"{organization_id}:{channel}"


def committed(routes: Sequence[RouteHint], channel_keys: Sequence[str]) -> None:
    """Wake routing and the sockets immediately, for what is already committed."""
    if routes:
        _tasks.offer(routes)
    if channel_keys:
        _live.offer(channel_keys)


def notices_stored(places: Iterable[tuple[str, str]]) -> None:
    """Have providers' notices processed immediately, for what is already committed.

    ``places``: ids of connections, each with the queue in which a worker processes it.
    """
    if waiting := [NoticeHint(connection_id, str(queue_name)) for connection_id, queue_name in dict.fromkeys(places)]:
        _tasks.offer(waiting)


def alarms_due(receipt_ids: Iterable[str]) -> None:
    """Have staff told of refused or held emergencies, for receipts that are already committed."""
    if waiting := [AlarmHint(receipt_id) for receipt_id in receipt_ids]:
        _tasks.offer(waiting)


def event_stored(event: ChannelEvent, channels: Iterable[str]) -> None:
    """Wake routing and the sockets of the event's channels, once the open transaction is committed."""
    unlinked = event.routing == ChannelEvent.Routing.UNLINKED and event.priority == Priority.URGENT
    if event.routing == ChannelEvent.Routing.PENDING or unlinked:  # staff must be told of urgent events immediately
        _after_commit(_tasks, RouteHint(str(event.id), event.priority))
    entries_added(event.organization_id, channels)


def entries_added(organization_id: UUID, channels: Iterable[str]) -> None:
    """Wake the sockets that follow these channels, once the open transaction is committed."""
    for name in channels:
        _after_commit(_live, channel_key(organization_id, name))


def delivery_due(
    delivery_id: UUID,
    priority: Priority | str,
    system_id: UUID,
    *,
    quick_attempts: int = 0,
    countdown: float = 0.0,
) -> None:
    """Wake a worker for a delivery, once the open transaction is committed.

    Arguments:
        quick_attempts: how many quick retries are used up; Celery's own count starts at 0 with each message.
        countdown: seconds that the message waits in a worker's memory.
    """
    hint = DeliveryHint(str(delivery_id), str(priority), str(system_id), quick_attempts, countdown)
    _after_commit(_tasks, hint)


def lane_due(system_id: UUID, priority: Priority) -> None:
    """Wake a worker for whatever is due for a system."""
    _after_commit(_tasks, DeliveryHint(None, priority.value, str(system_id)))


def queue_lengths() -> dict[str, int] | None:
    """How many messages wait in each Celery queue; ``None`` if Redis does not answer."""
    try:
        with _broker().pipeline(transaction=False) as pipeline:
            for name in Priority.values:
                pipeline.llen(f"{QUEUE_PREFIX}{name}")
            return dict(zip(Priority.values, map(int, pipeline.execute()), strict=True))
    except redis.RedisError:
        return None


@lru_cache(maxsize=1)
def _broker() -> redis.Redis:
    return redis.Redis.from_url(settings.BROKER_URL, socket_timeout=1, socket_connect_timeout=1)


@lru_cache(maxsize=1)
def _count_down() -> Any:
    script = "if redis.call('EXISTS', KEYS[1]) == 1 then return redis.call('DECR', KEYS[1]) end"
    return _broker().register_script(script)


def _after_commit(queue: HintQueue[T], hint: T) -> None:
    """Offer a hint after the commit, or immediately if no transaction is open."""
    transaction.on_commit(partial(queue.offer, [hint]))
