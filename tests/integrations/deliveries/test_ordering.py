"""What sets a state goes to a system one at a time and in order, or not at all where something newer says it again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from integrations.deliveries import claims, ordering, state_changes
from integrations.deliveries.claims import Lease
from integrations.models import Delivery, System
from integrations.states import Reason, State
from tests.at_once import at_once
from tests.factories import DeliveryFactory, EventFactory, SystemFactory
from tests.polling import until
from wedsync.live.fan_out import hints
from wedsync.queues import QUEUE_PREFIX

pytestmark = pytest.mark.django_db
KEY = "wedding:timeline.updated"


def change(system: System, *sets: str, **rest: Any) -> Delivery:
    """A delivery of a further, newer event."""
    event = EventFactory(organization=system.organization, type="timeline.updated")
    made: Delivery = DeliveryFactory(
        organization=system.organization, system=system, event=event, order_key=KEY, sets=sorted(sets), **rest
    )
    return made


def claimed(delivery: Delivery) -> Lease:
    lease = claims.claim(delivery.id)
    assert lease, "it is due"
    return lease


def standing(*deliveries: Delivery) -> list[tuple[str, str]]:
    for delivery in deliveries:
        delivery.refresh_from_db()
    return [(delivery.state, delivery.state_reason) for delivery in deliveries]


@pytest.fixture
def system() -> System:
    made: System = SystemFactory()
    return made


def test_what_a_newer_change_sets_again_is_not_sent(system: System) -> None:
    older, newer = change(system, "ceremony_time"), change(system, "ceremony_time", "venue_name")

    assert not ordering.take_turn(claimed(older))
    assert ordering.take_turn(claimed(newer))

    assert standing(older, newer) == [(State.CANCELLED, Reason.SUPERSEDED), (State.IN_FLIGHT, "")]
    assert older.attempt_count == 0, "nothing was tried"
    assert older.finished_at


def test_a_newer_change_ends_the_older_one_that_waits_for_its_retry(system: System) -> None:
    later = timezone.now() + timedelta(hours=2)
    older = change(system, "ceremony_time", state=State.SCHEDULED, next_attempt_at=later, attempt_count=5)
    newer = change(system, "ceremony_time")

    assert ordering.take_turn(claimed(newer))

    assert standing(older) == [(State.CANCELLED, Reason.SUPERSEDED)]


def test_a_change_of_something_else_waits_for_the_older_one_and_goes_when_that_has_ended(system: System) -> None:
    older, newer = change(system, "ceremony_time"), change(system, "venue_name")

    assert not ordering.take_turn(claimed(newer))
    assert standing(newer) == [(State.HELD, Reason.WAITS_ITS_TURN)]
    assert claims.claim(newer.id) is None, "it is not due"

    lease = claimed(older)
    assert ordering.take_turn(lease)
    state_changes.change(lease.row, State.SUCCEEDED)
    ordering.end_turn([older])

    assert ordering.take_turn(claimed(newer))


def test_one_in_flight_keeps_the_newer_one_waiting_also_where_that_stands_for_it(system: System) -> None:
    older = change(system, "ceremony_time")
    assert ordering.take_turn(claimed(older))
    newer = change(system, "ceremony_time")

    assert not ordering.take_turn(claimed(newer))

    assert standing(older, newer) == [(State.IN_FLIGHT, ""), (State.HELD, Reason.WAITS_ITS_TURN)]


def test_a_change_that_arrived_already_makes_an_older_one_needless(system: System) -> None:
    older, newer = change(system, "capacity"), change(system, "capacity")
    Delivery.objects.filter(id=newer.id).update(state=State.SUCCEEDED)

    assert not ordering.take_turn(claimed(older))

    assert standing(older) == [(State.CANCELLED, Reason.SUPERSEDED)]


@pytest.mark.parametrize("ended", [State.DEAD, State.CANCELLED])
def test_one_that_never_arrived_neither_stands_for_an_older_one_nor_keeps_a_newer_one(
    system: System, ended: State
) -> None:
    first, second, third = (change(system, "capacity") for _ in range(3))
    Delivery.objects.filter(id__in=[first.id, third.id]).update(state=ended)

    assert ordering.take_turn(claimed(second))


def test_other_systems_weddings_and_types_do_not_wait_for_each_other(system: System) -> None:
    assert ordering.take_turn(claimed(change(system, "capacity")))
    other_key, other_system = change(system, "capacity"), change(SystemFactory(), "capacity")
    Delivery.objects.filter(id=other_key.id).update(order_key="another:timeline.updated")

    assert ordering.take_turn(claimed(other_key))
    assert ordering.take_turn(claimed(other_system))


@pytest.mark.django_db(transaction=True)
def test_of_many_that_are_claimed_at_once_one_has_its_turn_and_all_get_it_in_their_order(system: System) -> None:
    """Each sets something of its own, so none is superseded."""
    waiting = [change(system, f"field_{number}") for number in range(6)]
    sent: list[Delivery] = []

    for _ in waiting:
        turns = at_once(len(waiting), lambda number: _try(waiting[number]))
        (lease,) = [lease for lease in turns if lease]
        state_changes.change(lease.row, State.SUCCEEDED)
        ordering.end_turn([lease.delivery])
        sent.append(lease.delivery)

    assert [delivery.id for delivery in sent] == [delivery.id for delivery in waiting]


@pytest.mark.django_db(transaction=True)
def test_one_that_is_about_to_wait_while_the_one_before_ends_is_due_at_once(system: System) -> None:
    older, newer = change(system, "ceremony_time"), change(system, "venue_name")
    lease = claimed(older)
    assert ordering.take_turn(lease)
    mine = claimed(newer)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Delivery.objects.select_for_update().get(id=newer.id)
            waiting = pool.submit(at_once, 1, lambda _: ordering.take_turn(mine))
            until(_somebody_waits_for_a_row)
            at_once(1, lambda _: _end(lease))
        assert waiting.result() == [False]

    assert ordering.take_turn(claimed(newer))


@pytest.mark.django_db(transaction=True)
def test_whoever_ends_a_turn_wakes_a_worker_for_the_next(system: System) -> None:
    older, newer = change(system, "ceremony_time"), change(system, "venue_name", priority="low")
    lease = claimed(older)
    assert ordering.take_turn(lease)
    assert not ordering.take_turn(claimed(newer))
    queue = redis.Redis.from_url(settings.BROKER_URL)
    hints.flush()
    queue.delete(f"{QUEUE_PREFIX}low")

    _end(lease)

    try:
        until(lambda: queue.llen(f"{QUEUE_PREFIX}low") == 1)
    finally:
        queue.delete(f"{QUEUE_PREFIX}low")


def _end(lease: Lease) -> None:
    state_changes.change(lease.row, State.SUCCEEDED)
    ordering.end_turn([lease.delivery])


def _somebody_waits_for_a_row() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'")
        return bool(cursor.fetchone()[0])


def _try(delivery: Delivery) -> Lease | None:
    lease = claims.claim(delivery.id)
    return lease if lease and ordering.take_turn(lease) else None
