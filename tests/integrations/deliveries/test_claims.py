"""Who takes which delivery, and what an attempt leaves behind."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from integrations.deliveries import claims, holds, state_changes
from integrations.deliveries.state_changes import Ending
from integrations.models import Attempt, Delivery, System
from integrations.states import FINISHED, TRANSITIONS, Outcome, Reason, State
from tests.at_once import at_once
from tests.factories import DeliveryFactory, SystemFactory
from wedsync.queues import Priority

pytestmark = pytest.mark.django_db


def due(system: System, **rest: Any) -> Delivery:
    past = timezone.now() - timedelta(minutes=1)
    made: Delivery = DeliveryFactory(
        **{"organization": system.organization, "system": system, "next_attempt_at": past} | rest
    )
    return made


@pytest.fixture
def system() -> System:
    made: System = SystemFactory()
    return made


def ending(to: State, **rest: Any) -> Ending:
    values: dict[str, Any] = {
        "reason": Reason.NONE,
        "started_at": timezone.now(),
        "milliseconds": 12,
        "outcome": Outcome.SUCCEEDED if to == State.SUCCEEDED else Outcome.FAILED,
    }
    return Ending(to=to, **values | rest)


def test_the_most_urgent_goes_first_then_first_attempts_then_the_oldest(system: System) -> None:
    ago = [timezone.now() - timedelta(minutes=minutes) for minutes in range(1, 4)]
    low = due(system, priority="low", next_attempt_at=ago[2])
    retry = due(system, priority="high", attempt_count=1, state=State.SCHEDULED, next_attempt_at=ago[2])
    younger, older = (due(system, priority="high", next_attempt_at=ago[place]) for place in (0, 1))
    urgent = due(system, priority="urgent", next_attempt_at=ago[0])

    taken = [claims.claim_next(system.id, urgent_only=False) for _ in range(5)]

    assert [lease.delivery.id for lease in taken if lease] == [each.id for each in (urgent, older, younger, retry, low)]
    assert claims.claim_next(system.id, urgent_only=False) is None


def test_an_urgent_place_takes_urgent_deliveries_only(system: System) -> None:
    due(system, priority="high")

    assert claims.claim_next(system.id, urgent_only=True) is None


def test_what_is_not_due_or_has_expired_or_belongs_to_another_system_is_not_taken(system: System) -> None:
    due(system, next_attempt_at=timezone.now() + timedelta(minutes=1))
    due(system, expires_at=timezone.now() - timedelta(seconds=1))
    due(SystemFactory())

    assert claims.claim_next(system.id, urgent_only=False) is None


@pytest.mark.parametrize("priority", Priority.values)
def test_a_precedence_tells_its_priority(system: System, priority: str) -> None:
    for attempts in (0, 3):
        delivery = due(system, priority=priority, attempt_count=attempts)
        delivery.refresh_from_db()
        assert claims.priority_of(delivery.precedence) == priority


def test_a_claim_brings_the_whole_row_and_its_event(system: System) -> None:
    request = {"method": "POST", "path": "/ä", "body": '{"a": [1]}', "headers": {"X": "y"}}
    delivery = due(system, request=request, sets=["a", "b"], attempt_count=2)

    lease = claims.claim(delivery.id)

    assert lease
    stored = Delivery.objects.select_related("event").get(id=delivery.id)
    named = {field.attname for field in Delivery._meta.concrete_fields}
    assert {name: getattr(lease.delivery, name) for name in named} == {name: getattr(stored, name) for name in named}
    assert lease.delivery.attempt_count == 3
    assert (lease.delivery.event.payload, lease.delivery.event) == (stored.event.payload, stored.event)


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_each_takes_another_delivery(system: System) -> None:
    waiting = {due(system).id for _ in range(8)}

    taken = at_once(8, lambda _: claims.claim_next(system.id, urgent_only=False))

    assert {lease.delivery.id for lease in taken if lease} == waiting


@pytest.mark.django_db(transaction=True)
def test_an_open_breaker_holds_what_is_due_and_waits_for_no_row_that_another_writes(system: System) -> None:
    written, *others = (due(system) for _ in range(3))

    def hold(_: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '5s'")  # waiting fails here instead of for ever
        return holds.for_open_breaker(system.id, 30)

    with transaction.atomic():
        Delivery.objects.select_for_update().get(id=written.id)
        assert at_once(1, hold) == [len(others)]

    held = Delivery.objects.filter(state=State.HELD, state_reason=Reason.BREAKER_OPEN)
    assert {delivery.id for delivery in held} == {delivery.id for delivery in others}


@pytest.mark.parametrize("source", State)
@pytest.mark.parametrize("to", State)
def test_a_state_is_reached_from_where_it_may_be_and_nowhere_else(system: System, source: State, to: State) -> None:
    leased = {"lease_token": uuid4(), "lease_until": timezone.now()}
    delivery = due(system, state=source, **(leased if source == State.IN_FLIGHT else {}))

    moved = state_changes.change(
        Delivery.objects.filter(id=delivery.id), to, **(leased if to == State.IN_FLIGHT else {})
    )

    assert bool(moved) == (to in TRANSITIONS[source])
    delivery.refresh_from_db()
    assert delivery.state == (to if moved else source)
    assert bool(delivery.finished_at) == bool(moved and to in FINISHED)


def test_an_attempt_and_the_next_state_are_written_together(system: System) -> None:
    delivery, other = due(system), due(system, priority="low")
    lease = claims.claim(delivery.id)
    assert lease

    ended = state_changes.record_attempt(
        lease.delivery,
        lease.token,
        ending(State.SCHEDULED, reason=Reason.SERVER_ERROR, due_in=30.0, status_code=503, error_class="ServerError"),
    )

    other.refresh_from_db()
    assert (ended.written, ended.next_precedence) == (True, other.precedence)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.state_reason, delivery.lease_token) == ("scheduled", "server_error", None)
    assert timedelta(seconds=25) < delivery.next_attempt_at - timezone.now() < timedelta(seconds=31)
    attempt = delivery.attempts.get()
    assert (attempt.number, attempt.status_code, attempt.outcome) == (1, 503, "failed")


def test_a_lost_lease_writes_nothing(system: System) -> None:
    lease = claims.claim(due(system).id)
    assert lease
    Delivery.objects.filter(id=lease.delivery.id).update(lease_token=uuid4())

    assert not state_changes.record_attempt(lease.delivery, lease.token, ending(State.SUCCEEDED)).written
    assert not Attempt.objects.exists()


def test_an_ending_whose_answer_was_lost_is_known_to_be_written_when_it_is_written_again(system: System) -> None:
    lease = claims.claim(due(system).id)
    assert lease
    taken = ending(State.SUCCEEDED)

    written = [state_changes.record_attempt(lease.delivery, lease.token, taken).written for _ in range(2)]

    assert written == [True, True]
    assert Attempt.objects.count() == 1
    assert not state_changes.record_attempt(lease.delivery, lease.token, ending(State.SUCCEEDED)).written, (
        "another one comes too late"
    )


def test_what_was_let_go_without_a_call_counts_no_attempt(system: System) -> None:
    lease = claims.claim(due(system).id)
    assert lease

    state_changes.release(lease.row, State.HELD, Reason.WAITS_ITS_TURN)

    lease.delivery.refresh_from_db()
    assert lease.delivery.attempt_count == 0
