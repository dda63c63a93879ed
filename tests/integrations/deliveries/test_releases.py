"""What was held is let go in batches, what is urgent first, and no longer than its door stands open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from integrations.deliveries import holds, releases
from integrations.models import Delivery, System
from integrations.states import Reason, State
from integrations.systems import lifecycle
from tests.at_once import at_once
from tests.factories import ConnectionFactory, DeliveryFactory, SystemFactory
from wedsync.database import batches
from wedsync.live.models import ChannelEvent

pytestmark = pytest.mark.django_db
Routing = ChannelEvent.Routing
LATER = timedelta(hours=1)


def held_events(count: int, *, urgent: int) -> lifecycle.Connection:
    """A paused connection that holds so many, the urgent ones behind all others."""
    connection: lifecycle.Connection = ConnectionFactory(state="paused")
    ChannelEvent.objects.bulk_create(
        ChannelEvent(
            organization=connection.organization, type="gallery.ready", payload={}, occurred_at=timezone.now(),
            source="webhook", source_connection_id=connection.id, routing=Routing.HELD,
            priority="urgent" if number >= count - urgent else "low",
        )
        for number in range(count)
    )  # fmt: skip
    return connection


def still_held() -> set[str]:
    return set(ChannelEvent.objects.filter(routing=Routing.HELD).values_list("priority", flat=True))


def test_the_sweep_lets_urgent_events_go_first() -> None:
    connection = held_events(batches.BATCH + 7, urgent=3)
    lifecycle.Connection.objects.filter(id=connection.id).update(state="active")

    releases.release_held(batches=1)

    assert ChannelEvent.objects.filter(routing=Routing.HELD).count() == 4
    assert still_held() == {"low"}
    releases.release_held(batches=1)
    assert still_held() == set()


def test_resuming_lets_all_go_however_many_there_are() -> None:
    connection = held_events(2 * batches.BATCH + 7, urgent=3)

    assert lifecycle.resume_connection(connection) == 2 * batches.BATCH + 7
    assert still_held() == set()


@pytest.mark.parametrize("close", [lifecycle.pause_connection, lifecycle.disable_connection])
def test_what_was_not_let_go_yet_stays_held_where_its_connection_is_closed_again(
    close: Callable[[lifecycle.Connection], None],
) -> None:
    connection = held_events(5, urgent=2)
    lifecycle.resume_connection(connection)
    ChannelEvent.objects.update(routing=Routing.HELD)
    close(connection)

    assert lifecycle.let_held_go(connection) == 0

    releases.release_held(batches=5)
    assert still_held() == {"urgent", "low"}
    assert lifecycle.resume_connection(connection) == 5


KINDS: dict[str, tuple[Callable[[System], int], State, Reason]] = {
    "a requested pause": (lambda system: holds.let_throttled_go(system.id), State.HELD, Reason.THROTTLED),
    "a rate": (lambda system: holds.let_limited_go(system.id), State.HELD, Reason.RATE_LIMITED),
    "a fault of ours": (lambda system: holds.let_mended_go(system.id), State.SCHEDULED, Reason.OUR_FAULT),
    "a fault of ours, by the health round": (
        lambda system: holds.let_mended_go(system.id, before=timezone.now()), State.SCHEDULED, Reason.OUR_FAULT
    ),
    "a pause": (lifecycle.resume_system, State.HELD, Reason.SYSTEM_PAUSED),
}  # fmt: skip


def waiting_for(system: System, state: State, reason: Reason) -> Delivery:
    made: Delivery = DeliveryFactory(
        organization=system.organization, system=system, state=state, state_reason=reason,
        next_attempt_at=timezone.now() + LATER, expires_at=timezone.now() + 2 * LATER, finished_at=None,
    )  # fmt: skip
    return made


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_let_go_waits_for_no_row_that_somebody_has_locked(kind: str) -> None:
    let_go, state, reason = KINDS[kind]
    system = SystemFactory()
    locked, free = waiting_for(system, state, reason), waiting_for(system, state, reason)

    with transaction.atomic():
        Delivery.objects.select_for_update().get(id=locked.id)
        (moved,) = at_once(1, lambda _: let_go(system))

    assert moved == 1
    due = Delivery.objects.filter(next_attempt_at__lte=timezone.now())
    assert list(due.values_list("id", flat=True)) == [free.id]
    assert let_go(system) == 1, "what was locked goes with the next"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_let_go_is_changed_in_batches(kind: str) -> None:
    let_go, state, reason = KINDS[kind]
    system = SystemFactory()
    event = waiting_for(system, state, reason).event
    Delivery.objects.bulk_create(
        Delivery(
            organization=system.organization, system=system, event=event, channel="system", target=str(number),
            dedupe_key=f"{number}", priority="normal", state=state, state_reason=reason, due_since=timezone.now(),
            next_attempt_at=timezone.now() + LATER, expires_at=timezone.now() + 2 * LATER,
        )
        for number in range(batches.BATCH)
    )  # fmt: skip

    assert let_go(system) == batches.BATCH + 1
    assert not Delivery.objects.filter(system=system, next_attempt_at__gt=timezone.now()).exists()
