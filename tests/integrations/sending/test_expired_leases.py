"""A delivery belongs to its worker for as long as its priority says, and goes on soon after that worker died."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from integrations.deliveries import claims
from integrations.models import Delivery
from integrations.registry import followers
from integrations.rules import deadlines
from integrations.sending import expired_leases
from integrations.states import State
from tests.factories import DeliveryFactory
from tests.polling import until
from wedsync.live.fan_out import hints
from wedsync.queues import QUEUE_PREFIX, Priority

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = timedelta(minutes=5)
FROZEN = {"method": "POST", "path": "/", "body": "{}", "headers": {}}


def due(priority: Priority, **rest: Any) -> Delivery:
    given = {"state": State.PENDING, "next_attempt_at": timezone.now() - LONG_AGO, "finished_at": None} | rest
    made: Delivery = DeliveryFactory(priority=priority, **given)
    return made


def lost(priority: Priority, **rest: Any) -> Delivery:
    lease = {"lease_token": uuid4(), "lease_until": timezone.now() - LONG_AGO, "attempt_count": 1}
    return due(priority, state=State.IN_FLIGHT, **(lease | rest))


@pytest.mark.parametrize("priority", Priority)
@pytest.mark.parametrize("by", ["id", "system"])
def test_the_lease_follows_the_deadline_of_the_priority(settings: Settings, priority: Priority, by: str) -> None:
    settings.LEASE_SECONDS, settings.URGENT_LEASE_SECONDS = 40.0, 12.0
    delivery, began = due(priority), timezone.now()

    taken = claims.claim(delivery.id) if by == "id" else claims.claim_next(delivery.system_id, urgent_only=False)

    assert taken
    assert taken.delivery.lease_until
    seconds = (taken.delivery.lease_until - began).total_seconds()
    expected = 12 if priority == Priority.URGENT else 40
    assert expected <= seconds < expected + 10


@pytest.mark.parametrize("priority", Priority)
def test_each_lease_outlives_its_call_and_the_question_before_it(priority: Priority) -> None:
    together = deadlines.question_deadline() + deadlines.call_deadline(priority)

    assert together < deadlines.lease(priority) < settings.VISIBILITY_TIMEOUT_SECONDS


@pytest.mark.parametrize("request_left", [True, False])
def test_a_delivery_of_a_dead_worker_is_carried_by_a_new_message_at_once(request_left: bool) -> None:
    client, key = redis.Redis.from_url(settings.BROKER_URL), f"{QUEUE_PREFIX}urgent"
    client.delete(key)
    delivery = lost(Priority.URGENT, channel="system", request=FROZEN if request_left else None)

    assert expired_leases.end_leases() == 1

    delivery.refresh_from_db()
    assert delivery.state == State.SCHEDULED
    hints.flush()
    until(lambda: client.llen(key), what="the message")
    client.delete(key)


@pytest.mark.parametrize("priority", Priority)
def test_an_urgent_delivery_whose_outcome_nobody_knows_moves_its_plan_on(
    priority: Priority, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Delivery] = []

    class Follower(followers.EventFollower):
        def troubled(self, delivery: Delivery) -> None:
            told.append(delivery)

    monkeypatch.setattr(followers, "followers", [Follower()])
    delivery = lost(priority, channel="whatsapp", request=FROZEN)

    expired_leases.end_leases()

    assert told == ([delivery] if priority == Priority.URGENT else [])


@pytest.mark.parametrize(
    ("priority", "attempts", "at_once"), [("urgent", 1, True), ("urgent", 2, False), ("high", 1, False)]
)
def test_an_urgent_delivery_is_repeated_at_once_after_its_first_worker_died(
    priority: Priority, attempts: int, at_once: bool
) -> None:
    delivery = lost(priority, channel="system", request=FROZEN, attempt_count=attempts)

    expired_leases.end_leases()

    delivery.refresh_from_db()
    assert delivery.state == State.SCHEDULED
    with connection.cursor() as cursor:
        cursor.execute("SELECT next_attempt_at <= clock_timestamp() FROM integrations_delivery")
        assert cursor.fetchone() == (at_once,)
