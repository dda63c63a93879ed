"""What the sweep finds from the rows."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.utils import timezone

from integrations import sweep
from integrations.admission.lanes import CALL_LIMIT
from integrations.deliveries import claims, hint_marks, releases
from integrations.models import Connection, Delivery, System
from integrations.sending import claimed_delivery, due, expired_leases
from integrations.states import Reason, State
from integrations.systems import lifecycle
from tests.factories import ConnectionFactory, DeliveryFactory, EventFactory, SystemFactory
from wedsync.live.fan_out import hints
from wedsync.live.models import ChannelEvent
from wedsync.queues import QUEUE_PREFIX
from wedsync.weddings.models import ContactChannel

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(minutes=5)
FROZEN = {"method": "POST", "path": "/", "body": "{}", "headers": {}}


def overdue(**rest: Any) -> Delivery:
    made: Delivery = DeliveryFactory(
        **{"state": State.PENDING, "next_attempt_at": timezone.now() - LONG_AGO, "finished_at": None} | rest
    )
    return made


def test_a_delivery_that_nobody_took_is_hinted_once_and_not_again_at_once() -> None:
    overdue()

    assert [due.hint_deliveries(), due.hint_deliveries()] == [1, 0]


def flying(system: System, count: int, **rest: Any) -> None:
    lease = {"lease_token": uuid4(), "lease_until": timezone.now() + LONG_AGO, "attempt_count": 1}
    for _ in range(count):
        overdue(organization=system.organization, system=system, state=State.IN_FLIGHT, **lease, **rest)


def test_urgent_calls_in_flight_take_no_room_from_others() -> None:
    waiting = overdue(priority="normal")
    flying(waiting.system, CALL_LIMIT, priority="urgent")
    assert due.hint_deliveries() == 1

    waiting = overdue(priority="normal")
    flying(waiting.system, CALL_LIMIT, priority="normal")
    assert due.hint_deliveries() == 0, "whoever ends a call takes it"


def test_a_full_queue_is_not_filled_further() -> None:
    overdue(priority="low")
    client = redis.Redis.from_url(settings.BROKER_URL)
    key = f"{QUEUE_PREFIX}low"
    client.rpush(key, *["x"] * hint_marks.FULL_QUEUE)
    try:
        assert (hints.queue_lengths() or {})["low"] == hint_marks.FULL_QUEUE
        assert due.hint_deliveries() == 0
    finally:
        client.delete(key)
    assert due.hint_deliveries() == 1


def test_a_lease_that_ran_out_is_an_attempt_of_unknown_outcome() -> None:
    lost = overdue(
        state=State.IN_FLIGHT,
        lease_token=uuid4(),
        lease_until=timezone.now() - LONG_AGO,
        attempt_count=1,
        request=FROZEN,
        channel="whatsapp",
    )

    assert expired_leases.end_leases() == 1

    lost.refresh_from_db()
    assert (lost.state, lost.state_reason, lost.may_duplicate) == (State.HELD, Reason.AWAITS_STATUS, True)
    assert lost.next_attempt_at > timezone.now() - timedelta(seconds=1), "not at once, so that it cannot spin"
    assert lost.attempts.get().outcome == "unknown"


def test_what_has_expired_is_dead_and_says_so() -> None:
    late = overdue(expires_at=timezone.now() - LONG_AGO)

    assert claims.claim(late.id) is None
    sweep.sweep()

    late.refresh_from_db()
    assert (late.state, late.state_reason) == (State.DEAD, Reason.EXPIRED)
    assert late.finished_at


def test_a_delivery_held_while_its_system_was_being_resumed_is_let_go() -> None:
    held = overdue()
    System.objects.filter(id=held.system_id).update(state=System.Status.PAUSED)
    lease = claims.claim(held.id)
    assert lease
    lifecycle.resume_system(held.system)
    assert claimed_delivery._stopped(lease), "it decides on what it saw"

    releases.release_held(batches=1)

    assert claims.claim(held.id) is not None


def test_what_was_held_for_a_paused_system_ends_when_that_is_disabled() -> None:
    held, other = overdue(), overdue()
    for each in (held, other):
        System.objects.filter(id=each.system_id).update(state=System.Status.PAUSED)
        lease = claims.claim(each.id)
        assert lease
        claimed_delivery.work(lease)
    raced = System.objects.filter(id=held.system_id)
    raced.update(state=System.Status.DISABLED)  # a worker held it at the same moment, so nothing else ended it

    releases.release_held(batches=1)

    lease = claims.claim(held.id)
    assert lease
    claimed_delivery.work(lease)
    held.refresh_from_db()
    assert (held.state, held.state_reason) == (State.DEAD, Reason.SYSTEM_DISABLED)
    assert claims.claim(other.id) is None, "its system is paused still"


def test_an_event_held_after_its_connection_was_resumed_is_let_go() -> None:
    connection = ConnectionFactory()
    event = EventFactory(
        organization=connection.organization, source_connection_id=connection.id, routing=ChannelEvent.Routing.HELD
    )

    for closed in ("paused", "disabled"):
        Connection.objects.filter(id=connection.id).update(state=closed)
        releases.release_held(batches=1)
        event.refresh_from_db()
        assert event.routing == ChannelEvent.Routing.HELD
    Connection.objects.filter(id=connection.id).update(state="active")
    releases.release_held(batches=1)
    event.refresh_from_db()
    assert event.routing == ChannelEvent.Routing.PENDING


def test_two_workers_with_the_same_delivery_claim_it_once() -> None:
    delivery = overdue()

    assert [bool(claims.claim(delivery.id)) for _ in range(3)] == [True, False, False]


def test_a_disabled_system_is_no_target_and_the_newest_active_one_is() -> None:
    from notifications.recipients.resolving import sending_systems
    from tests.factories import OrganizationFactory

    organization = OrganizationFactory()
    common = {"organization": organization, "kind": System.Kind.WHATSAPP}
    SystemFactory(state="active", **common)
    wanted = SystemFactory(state="active", **common)
    SystemFactory(state="paused", **common)
    SystemFactory(state="disabled", **common)

    assert sending_systems(organization.id)[ContactChannel.WHATSAPP] == wanted


def test_a_lease_that_can_not_be_ended_keeps_no_other_from_it() -> None:
    common = {"state": State.IN_FLIGHT, "lease_until": timezone.now() - LONG_AGO, "attempt_count": 1, "request": FROZEN}
    unknown = overdue(lease_token=uuid4(), channel="pigeon", **common)
    lost = overdue(lease_token=uuid4(), channel="system", **common)

    expired_leases.end_leases()

    unknown.refresh_from_db()
    lost.refresh_from_db()
    assert (unknown.state, lost.state) == (State.IN_FLIGHT, State.SCHEDULED)


def test_with_more_than_a_batch_no_target_comes_last_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "BATCH", 8)  # two targets at four calls each
    systems = [SystemFactory() for _ in range(3)]
    for system in systems:
        event = EventFactory(organization=system.organization)
        for generation in range(60):
            overdue(organization=system.organization, system=system, event=event, generation=generation)

    for _ in range(14):
        due.hint_deliveries()

    hinted = Delivery.objects.exclude(hinted_at=None).values_list("system_id", flat=True)
    assert set(hinted) == {system.id for system in systems}


def test_a_round_of_another_room_that_breaks_keeps_nothing_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "_rounds", [])

    def broken() -> int:
        raise ValueError("a row that nobody expected")

    def finds_two() -> int:
        return 2

    for work in (broken, finds_two, finds_two):
        sweep.register_round(work)
    delivery = overdue()

    found = sweep.sweep()

    assert (found.beside, found.deliveries) == (2, 1), "registered twice, it runs once"
    delivery.refresh_from_db()
    assert delivery.hinted_at
