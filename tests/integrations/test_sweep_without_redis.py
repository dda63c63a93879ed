"""What did not leave counts as not asked for, and what is urgent is asked for in every round."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings
from django.utils import timezone

from integrations.deliveries import hint_marks
from integrations.models import Delivery
from integrations.routing import unrouted
from integrations.sending import due
from tests.factories import DeliveryFactory, EventFactory
from wedsync.live.fan_out import hints
from wedsync.live.models import ChannelEvent
from wedsync.queues import QUEUE_PREFIX, Priority

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(minutes=5)


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    """Empty queues, before and after."""
    client = redis.Redis.from_url(settings.BROKER_URL)
    keys = [f"{QUEUE_PREFIX}{name}" for name in Priority.values]
    client.delete(*keys)
    yield client
    client.config_set("maxmemory", 0)
    client.delete(*keys)


def unreachable(broker: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    away = redis.Redis.from_url("unix:///nowhere/valkey.sock")
    with_it = hints._broker
    monkeypatch.setattr(hints, "_broker", lambda: away)
    return lambda: monkeypatch.setattr(hints, "_broker", with_it)


def full(broker: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """It answers, and takes nothing more."""
    broker.config_set("maxmemory", 1)
    return lambda: broker.config_set("maxmemory", 0)


def waiting_event(priority: Priority, **rest: Any) -> ChannelEvent:
    made = EventFactory(priority=priority, routing=ChannelEvent.Routing.PENDING, **rest)
    ChannelEvent.objects.filter(id=made.id).update(received_at=timezone.now() - LONG_AGO)
    return made


def waiting_delivery(priority: Priority, **rest: Any) -> Delivery:
    made: Delivery = DeliveryFactory(
        priority=priority, state="pending", next_attempt_at=timezone.now() - LONG_AGO, finished_at=None, **rest
    )
    return made


@pytest.mark.parametrize("priority", Priority)
@pytest.mark.parametrize("away", [unreachable, full])
@pytest.mark.parametrize("hinted_before", [None, LONG_AGO])
def test_what_redis_did_not_take_is_asked_for_at_once_when_it_is_back(
    broker: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    priority: Priority,
    away: Any,
    hinted_before: timedelta | None,
) -> None:
    before = timezone.now() - hinted_before if hinted_before else None
    event, delivery = waiting_event(priority, hinted_at=before), waiting_delivery(priority, hinted_at=before)
    come_back = away(broker, monkeypatch)

    assert (unrouted.hint_events(), due.hint_deliveries()) == (0, 0)

    event.refresh_from_db()
    delivery.refresh_from_db()
    assert (event.hinted_at, delivery.hinted_at) == (before, before)
    come_back()
    assert (unrouted.hint_events(), due.hint_deliveries()) == (1, 1)
    assert broker.llen(f"{QUEUE_PREFIX}{priority}") == 2


@pytest.mark.parametrize(
    ("priority", "rounds"),
    [(Priority.URGENT, [1, 1, 1]), (Priority.HIGH, [1, 0, 0]), (Priority.NORMAL, [1, 0, 0]), (Priority.LOW, [1, 0, 0])],
)
def test_what_is_urgent_is_asked_for_in_each_round_and_all_else_once_in_a_while(
    broker: redis.Redis, priority: Priority, rounds: list[int]
) -> None:
    waiting_event(priority)
    waiting_delivery(priority)

    assert [unrouted.hint_events() for _ in rounds] == rounds
    assert [due.hint_deliveries() for _ in rounds] == rounds


def test_a_queue_that_nobody_can_read_is_not_an_empty_one(broker: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hints.queue_lengths() == dict.fromkeys(Priority.values, 0)
    assert hint_marks.open_queues() == Priority.values

    unreachable(broker, monkeypatch)

    assert hints.queue_lengths() is None
    assert hint_marks.open_queues() == []


def test_a_sweep_that_does_not_reach_redis_takes_nothing_from_one_that_does(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting_event(Priority.NORMAL)
    waiting_delivery(Priority.NORMAL)
    cut_off = unreachable(broker, monkeypatch)
    unrouted.hint_events()
    due.hint_deliveries()

    cut_off()

    assert (unrouted.hint_events(), due.hint_deliveries()) == (1, 1)


def test_those_that_were_never_asked_for_come_before_those_that_were(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unrouted, "BATCH", 1)
    waiting_event(Priority.HIGH, hinted_at=timezone.now() - LONG_AGO)
    fresh = waiting_event(Priority.HIGH)

    assert unrouted.hint_events() == 1

    fresh.refresh_from_db()
    assert fresh.hinted_at
