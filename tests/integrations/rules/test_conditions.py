"""What conditions of routes compare, and how."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from integrations.models import RouteCondition
from integrations.rules import event_filters, examples
from integrations.rules.conditions import Operator, check_value, holds
from wedsync.live.event_types.catalogue import CATALOGUE

FACTS: dict[str, Any] = {
    "payload": {
        "guest_count": 120,
        "amount": "99.50",
        "date": "2027-06-19",
        "starts_at": "2027-06-19T15:00:00+02:00",
        "reason": "power outage",
        "confirmed": True,
        "nothing": None,
        "changes": [{"field": "ceremony_time", "after": "16:00"}, {"field": "venue_name", "after": "Seehof"}],
        "extra": {"hall": "south", "tags": ["vip", 7]},
        "event": {"type": "a field of the payload"},
    },
    "event": {"type": "timeline.updated", "source": "webhook", "priority": "high"},
    "wedding": {"guest_count": 110, "date": "2027-06-19"},
}


@pytest.mark.parametrize(
    ("path", "operator", "wanted", "expected"),
    [
        ("guest_count", "equals", 120, True),
        ("guest_count", "equals", 120.0, True),
        ("guest_count", "equals", "120", True),
        ("guest_count", "equals", True, False),
        ("confirmed", "equals", True, True),
        ("confirmed", "equals", 1, False),
        ("amount", "equals", 99.5, True),
        ("amount", "equals", "99.50", True),
        ("nothing", "equals", None, True),
        ("missing", "equals", None, False),
        ("extra.hall", "equals", "south", True),
        ("extra.hall", "not_equals", "south", False),
        ("extra.hall", "not_equals", "north", True),
        ("missing", "not_equals", "north", True),
        ("changes.0.field", "equals", "ceremony_time", True),
        ("changes.1.field", "equals", "ceremony_time", False),
        ("changes.2.field", "exists", False, True),
        ("changes.*.field", "equals", "venue_name", True),
        ("changes.*.field", "not_equals", "venue_name", False),
        ("changes.*.field", "equals", "couple", False),
        ("changes.field", "exists", True, False),
        ("reason", "contains", "power", True),
        ("reason", "contains", "Power", False),
        ("extra.tags", "contains", "vip", True),
        ("extra.tags", "contains", 7, True),
        ("extra", "contains", "hall", True),
        ("guest_count", "contains", "12", False),
        ("reason", "starts_with", "power", True),
        ("reason", "starts_with", "outage", False),
        ("guest_count", "starts_with", "1", False),
        ("extra.hall", "in", ["north", "south"], True),
        ("guest_count", "in", [119, 121], False),
        ("missing", "in", [None], False),
        ("guest_count", "greater", 119, True),
        ("guest_count", "greater", 120, False),
        ("guest_count", "greater", "20", True),
        ("amount", "less", 100, True),
        ("amount", "greater", 9, True),
        ("date", "greater", "2027-06-01", True),
        ("date", "less", "2027-06-19", False),
        ("starts_at", "less", "2027-06-19T14:00:00+00:00", True),
        ("starts_at", "greater", "2027-06-19T14:00:00+02:00", True),
        ("reason", "greater", 5, False),
        ("nothing", "less", 5, False),
        ("missing", "less", 5, False),
        ("reason", "exists", True, True),
        ("nothing", "exists", True, True),
        ("missing", "exists", True, False),
        ("missing", "exists", False, True),
        ("reason", "matches", "^power (outage|cut)$", True),
        ("reason", "matches", "^outage", False),
        ("guest_count", "matches", "1", False),
        ("event.type", "equals", "timeline.updated", True),
        ("payload.event.type", "equals", "a field of the payload", True),
        ("event.source", "in", ["api", "webhook"], True),
        ("wedding.guest_count", "less", 120, True),
    ],
)
def test_a_condition_compares_by_type(path: str, operator: str, wanted: Any, expected: bool) -> None:
    assert holds(path, operator, wanted, FACTS) is expected


def test_every_operator_is_covered_and_none_holds_where_an_event_has_no_wedding() -> None:
    without = {**FACTS, "wedding": None}
    wanted = {Operator.IN: ["x"], Operator.EXISTS: True}

    held = [each for each in Operator if holds("wedding.couple", each, wanted.get(each, "x"), without)]

    assert held == [Operator.NOT_EQUALS]


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("exists", "yes"), ("exists", None), ("in", "south"), ("in", []), ("greater", None), ("greater", True),
        ("less", [1]), ("starts_with", 5), ("starts_with", ""), ("contains", None), ("matches", 5), ("matches", "("),
        ("matches", "(?=x)"), ("matches", r"(a)\1"), ("matches", "x" * 501), ("matches", "((a{100}){100}){100}"),
    ],
)  # fmt: skip
def test_a_value_that_its_operator_can_not_use_is_refused_at_its_field(operator: str, value: Any) -> None:
    with pytest.raises(ValidationError) as raised:
        RouteCondition(path="reason", operator=operator, value=value).clean()
    assert set(raised.value.message_dict) == {"value"}


@pytest.mark.parametrize("path", ["", "a b", ".a", "a.", "a..b", "x" * 201])
def test_a_path_that_is_none_is_refused_at_its_field(path: str) -> None:
    with pytest.raises(ValidationError) as raised:
        RouteCondition(path=path, operator="exists", value=True).clean()
    assert set(raised.value.message_dict) == {"path"}


def test_a_pattern_that_would_hang_a_backtracking_engine_answers() -> None:
    check_value(Operator.MATCHES, "^(a+)+$")
    started = time.process_time()

    assert not holds("reason", "matches", "^(a+)+$", {**FACTS, "payload": {"reason": "a" * 50_000 + "b"}})

    assert time.process_time() - started < 60  # Python's re would need longer than the universe is old


@pytest.mark.parametrize(
    ("filters", "taken"),
    [
        (["booking.*"], {"booking.created", "booking.updated", "booking.confirmed", "booking.cancelled"}),
        (["*.cancelled"], {"booking.cancelled"}),
        (["*.updated"], {"timeline.updated", "booking.updated", "client.updated"}),
        (["*"], set(CATALOGUE)),
        ([], set(CATALOGUE)),
        (["gallery.ready", "payment.*"], {"gallery.ready", "payment.received", "payment.failed"}),
    ],
)
def test_filters_take_types_by_name_and_by_wildcard(filters: list[str], taken: set[str]) -> None:
    assert set(event_filters.accepted_types(filters)) == taken


@pytest.mark.parametrize("text", ["booking", "bookings.*", "*.melted", "book*", "*.*", "", "booking.cre*", "Booking.*"])
def test_a_filter_that_takes_no_type_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="No event type"):
        event_filters.check(["gallery.ready", text])


@pytest.mark.parametrize("event_type", sorted(CATALOGUE))
@pytest.mark.parametrize("whole", [True, False])
def test_each_event_type_has_an_example_that_its_schema_takes(event_type: str, whole: bool) -> None:
    example = examples.payload(event_type, whole=whole)

    dumped = CATALOGUE[event_type].payload.model_validate(dict(example)).model_dump(mode="json")

    assert {
        name: value for name, value in dumped.items() if value not in (None, []) and (value != {} or name in example)
    } == example
