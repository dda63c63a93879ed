"""What staff, and a target's answers, do to a system and to what waits for it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.deliveries import holds, staff_actions
from integrations.deliveries.staff_actions import CannotResend
from integrations.models import Delivery, System
from integrations.states import Reason, State
from integrations.systems import lifecycle
from tests.factories import DeliveryFactory, EventFactory, SystemFactory

pytestmark = pytest.mark.django_db
LATER = timedelta(hours=2)


@pytest.fixture
def system() -> System:
    made: System = SystemFactory(credentials={"access_token": "old"})
    return made


def waiting(system: System, **rest: Any) -> Delivery:
    values: dict[str, Any] = {"organization": system.organization, "system": system}
    made: Delivery = DeliveryFactory(**values | rest)
    return made


def test_to_disable_a_system_ends_also_what_would_be_tried_much_later(system: System) -> None:
    later = waiting(system, state=State.SCHEDULED, next_attempt_at=timezone.now() + LATER)
    other = waiting(SystemFactory())

    lifecycle.disable_system(system)

    later.refresh_from_db()
    other.refresh_from_db()
    assert (later.state, later.state_reason) == (State.DEAD, Reason.SYSTEM_DISABLED)
    assert other.state == State.PENDING


def test_an_answer_to_credentials_that_were_replaced_since_stops_nothing(system: System) -> None:
    as_called = System.objects.get(id=system.id)
    system.seal_credentials({"access_token": "new"})
    system.save()

    lifecycle.stop_system(as_called, System.Status.PAUSED, Reason.CREDENTIALS_REFUSED)
    system.refresh_from_db()
    assert system.state == System.Status.ACTIVE

    lifecycle.stop_system(system, System.Status.PAUSED, Reason.CREDENTIALS_REFUSED)
    system.refresh_from_db()
    assert system.state == System.Status.PAUSED


def test_a_new_rate_counts_for_who_waits_for_a_token_of_the_old_one(system: System) -> None:
    in_an_hour = timezone.now() + timedelta(hours=1)
    held = {"state": State.HELD, "next_attempt_at": in_an_hour}
    head = waiting(system, state_reason=Reason.RATE_LIMITED, **held)
    other = waiting(system, state_reason=Reason.BREAKER_OPEN, **held)

    holds.let_limited_go(system.id)

    head.refresh_from_db()
    other.refresh_from_db()
    assert head.next_attempt_at <= timezone.now() < other.next_attempt_at


def test_a_requested_pause_holds_everything_but_what_is_urgent(system: System) -> None:
    normal, urgent = waiting(system, priority="normal"), waiting(system, priority="urgent")

    assert holds.for_throttled(system.id, 60) == 1

    normal.refresh_from_db()
    urgent.refresh_from_db()
    assert (normal.state, normal.state_reason, urgent.state) == (State.HELD, Reason.THROTTLED, State.PENDING)


def test_an_older_change_is_not_sent_again_over_a_newer_one_of_a_part_of_it(system: System) -> None:
    def change(state: State, *sets: str) -> Delivery:
        event = EventFactory(organization=system.organization)
        return waiting(system, event=event, state=state, order_key="w:timeline.updated", sets=list(sets))

    older = change(State.DEAD, "ceremony_time", "venue_name")
    other = change(State.DEAD, "reception_time")
    change(State.SUCCEEDED, "ceremony_time")

    with pytest.raises(CannotResend, match="newer change"):
        staff_actions.resend(older)
    assert staff_actions.resend_all(Delivery.objects.filter(state=State.DEAD)) == 1
    assert Delivery.objects.get(generation=1).event == other.event
