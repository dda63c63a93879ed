"""What an event sets, so that a newer one can stand in for it."""

from typing import Any

import pytest

from integrations.rules.state_events import state_set_by
from wedsync.live.event_types.catalogue import CATALOGUE


@pytest.mark.parametrize(
    ("event_type", "payload", "sets"),
    [
        ("timeline.updated", {"changes": [{"field": "venue_name"}, {"field": "dinner"}]}, {"venue_name", "dinner"}),
        ("timeline.updated", {"changes": [{"field": "date"}], "schedule": [{}]}, {"date", "schedule"}),
        ("guest_count.changed", {"guest_count": 120, "previous": 110}, {"guest_count"}),
        ("venue.capacity_updated", {"capacity": 0}, {"capacity"}),
        ("wedding.date_changed", {"date": "2027-06-20"}, {"date"}),
        ("booking.updated", {"booking_id": "B", "notes": "x"}, {"booking B: notes"}),
        ("booking.cancelled", {"booking_id": "B-2", "status": "cancelled"}, {"booking B-2: status"}),
        ("client.updated", {"client_id": "C-1", "phone": "+431"}, {"client C-1: phone"}),
        ("venue.setup_scheduled", {"space": "Hall"}, {"space"}),
    ],
)  # fmt: skip
def test_an_event_that_sets_a_state_says_what_of_it(event_type: str, payload: dict[str, Any], sets: set[str]) -> None:
    assert state_set_by(event_type, payload) == sets


def test_two_bookings_of_one_wedding_never_stand_in_for_each_other() -> None:
    first = state_set_by("booking.updated", {"booking_id": "B-1", "status": "held"})
    second = state_set_by("booking.updated", {"booking_id": "B-2", "status": "held"})

    assert first is not None
    assert second is not None
    assert not first & second


HAPPENINGS = [
    "booking.created", "gallery.ready", "gallery.delivered", "payment.received", "payment.failed",
    "venue.capacity_exceeded", "venue.emergency_reported", "form.submitted", "journey.milestone_reached",
]  # fmt: skip


@pytest.mark.parametrize("event_type", HAPPENINGS)
def test_what_happened_is_never_left_out_for_something_newer(event_type: str) -> None:
    assert event_type in CATALOGUE
    assert state_set_by(event_type, {"booking_id": "B-1", "status": "new"}) is None


@pytest.mark.parametrize("event_type", ["client.updated", "venue.catering_updated"])
def test_an_event_that_gives_no_field_sets_nothing(event_type: str) -> None:
    assert state_set_by(event_type, {"client_id": "C-1", "extra": {"a": 1}}) is None
