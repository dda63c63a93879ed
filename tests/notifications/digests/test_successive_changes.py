"""Changes of one thing within a short time are told as one."""

from typing import Any

import pytest

from integrations.deliveries import staff_actions
from integrations.models import Delivery
from integrations.routing import route_event
from notifications.digests import windows
from notifications.models import Window, WindowEntry
from tests.notifications.digests.windowing import (
    carrier,
    fate,
    guests,
    let_time_pass,
    of,
    person,
    route_to_people,
    routed,
    stored,
)
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Wedding

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("windows_of_the_product")]


def moved(wedding: Wedding, before: str, after: str) -> ChannelEvent:
    """A change of the time, made normal: of itself it is high."""
    event = stored(
        wedding, "timeline.updated", {"changes": [{"field": "ceremony_time", "before": before, "after": after}]}
    )
    ChannelEvent.objects.filter(id=event.id).update(priority="normal")
    route_event.route(event.id)
    return event


def test_three_changes_of_one_time_give_one_message_from_the_first_to_the_last(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    first, last = moved(wedding, "15:00", "16:00"), moved(wedding, "16:00", "16:30")

    assert let_time_pass() == 1

    assert (fate(first), fate(last)) == (("cancelled", "superseded"), ("held", ""))
    assert windows.merged_payload(of(last)) == {
        "changes": [{"field": "ceremony_time", "before": "15:00", "after": "16:30"}]
    }
    assert windows.merged_payload(of(first)) is None
    assert carrier(first) == of(last)


def test_the_whole_way_is_told_also_on_another_channel_and_when_it_is_sent_again(wedding: Any) -> None:
    anna = person(wedding)
    route_to_people(wedding)
    guests(wedding, 120, 110)
    last = guests(wedding, 130, 120)
    let_time_pass()
    delivery = of(last)
    next_step = Delivery.objects.get(id=delivery.id)
    next_step.id, next_step.channel, next_step.target, next_step.plan_step = None, "whatsapp", anna.phone, 1
    next_step.dedupe_key = Delivery.key(last.id, "people", anna.phone, "whatsapp", plan_step=1)
    Delivery.objects.filter(id=delivery.id).update(state="succeeded")

    again = staff_actions.resend(of(last))

    for each in (delivery, next_step, again):
        assert windows.merged_payload(each) == {"guest_count": 130, "previous": 110, "before": 110}


def test_what_is_changed_back_in_time_is_told_to_nobody(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    there, back = moved(wedding, "15:00", "16:00"), moved(wedding, "16:00", "15:00")

    let_time_pass()

    assert (fate(there), fate(back)) == (("cancelled", "superseded"), ("cancelled", "taken_back"))
    assert Window.objects.get().delivery is None
    assert {entry.outcome for entry in WindowEntry.objects.all()} == {"taken_back"}


def test_bookings_of_two_numbers_do_not_replace_each_other(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    events = [routed(wedding, "booking.updated", {"booking_id": name, "status": "open"}) for name in ("B1", "B2")]

    assert let_time_pass() == 2

    assert [fate(event) for event in events] == [("held", "")] * 2


def test_news_that_set_no_state_and_are_normal_go_at_once(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    event = routed(wedding, "payment.received", {"amount": "120.50", "currency": "EUR", "reference": "R-7"})

    assert fate(event) == ("pending", "")
