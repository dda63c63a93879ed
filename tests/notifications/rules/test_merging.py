"""Several changes told as one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from notifications.rules.merging import came_to_nothing, merged, subject_of

FIELDS = ["ceremony_time", "reception_time", "venue_name"]
ways = some.lists(some.tuples(some.sampled_from(FIELDS), some.integers(0, 3)), min_size=1, max_size=12)


def change(before: Any, after: Any, field: str = "ceremony_time") -> dict[str, Any]:
    return {"changes": [{"field": field, "before": before, "after": after}]}


def test_a_time_that_moves_twice_is_told_from_the_first_to_the_last() -> None:
    payloads = [change("15:00", "16:00"), change("16:00", "16:30")]

    assert merged(payloads) == change("15:00", "16:30")
    assert not came_to_nothing(payloads)


def test_a_time_that_moves_back_came_to_nothing_unless_something_else_is_said_with_it() -> None:
    there_and_back = [change("15:00", "16:00"), change("16:00", "15:00")]

    assert came_to_nothing(there_and_back)
    assert not came_to_nothing([*there_and_back, change(110, 120, "guest_count")])
    assert not came_to_nothing([*there_and_back, change("15:00", "15:00") | {"schedule": [{"at": "15:00"}]}])
    assert merged([*there_and_back, change(110, 120, "guest_count")]) == change(110, 120, "guest_count")


def test_one_change_alone_is_told_whatever_it_says() -> None:
    assert not came_to_nothing([change("15:00", "15:00")])


def test_where_it_is_not_known_how_it_was_before_nothing_counts_as_taken_back() -> None:
    assert not came_to_nothing([change(None, "16:00"), change("16:00", "15:00")])
    assert not came_to_nothing([{"guest_count": 120}, {"guest_count": 110, "previous": 120}])


@pytest.mark.parametrize("field", ["guest_count", "capacity", "date"])
def test_a_value_keeps_the_first_previous_and_the_last_value(field: str) -> None:
    values = ["2027-06-19", "2027-06-20", "2027-06-26"] if field == "date" else [110, 120, 130]
    first, second = ({field: values[place + 1], "previous": values[place]} for place in (0, 1))

    assert merged([first, second]) == {field: values[2], "previous": values[0]}
    assert came_to_nothing([first, {field: values[0], "previous": values[1]}])


def test_of_a_booking_what_only_the_older_one_says_is_kept() -> None:
    older = {"booking_id": "B1", "status": "open", "notes": "Rain plan"}
    newer = {"booking_id": "B1", "status": "confirmed", "notes": None}

    assert merged([older, newer]) == {"booking_id": "B1", "status": "confirmed", "notes": "Rain plan"}


@given(ways)
def test_whatever_the_way_each_field_is_told_from_its_first_before_to_its_last_after(
    way: list[tuple[str, int]],
) -> None:
    now = dict.fromkeys(FIELDS, 0)
    payloads = []
    for field, value in way:
        payloads.append(change(now[field], value, field))
        now[field] = value

    moved = {field: value for field, value in now.items() if value != 0}
    assert came_to_nothing(payloads) == (len(payloads) > 1 and not moved)
    if moved:
        told = {each["field"]: (each["before"], each["after"]) for each in merged(payloads)["changes"]}
        assert told == {field: (0, value) for field, value in moved.items()}


@pytest.mark.parametrize(
    ("event_type", "payload", "subject"),
    [
        ("timeline.updated", change("15:00", "16:00"), "timeline.updated"),
        ("booking.updated", {"booking_id": "BK-77", "status": "open"}, "booking.updated:BK-77"),
        ("client.updated", {"client_id": "C1", "name": "Anna"}, "client.updated:C1"),
        ("venue.catering_updated", {"requirements": "3 vegan menus"}, "venue.catering_updated:caterer"),
        ("payment.received", {"amount": "120.50", "currency": "EUR", "reference": "R-7"}, ""),
        ("gallery.ready", {"gallery_url": "https://studio.example/g/1"}, ""),
    ],
)
def test_only_what_sets_a_state_has_a_subject(event_type: str, payload: dict[str, Any], subject: str) -> None:
    assert subject_of(event_type, payload, "caterer") == subject
