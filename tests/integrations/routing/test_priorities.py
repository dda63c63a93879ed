"""What priority a delivery gets: from its event, the routes that ask for it, and the day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import permutations

import pytest

from integrations.registry.targets import Matched
from integrations.routing.route_event import delivery_priority
from tests.factories import EventFactory, RouteFactory, SystemFactory, WeddingFactory
from wedsync.queues import Priority


def matched(priority: str = "", steps: int = 0) -> Matched:
    return Matched(RouteFactory.build(system=SystemFactory.build(), priority=priority), "couple:dashboard:1", steps)


BEFORE, ON_THE_DAY = datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 6, 19, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("own", "asking", "at", "expected"),
    [
        ("low", [("", 0)], BEFORE, "low"),
        ("low", [("high", 0)], BEFORE, "high"),
        ("high", [("low", 0)], BEFORE, "high"),
        ("low", [("normal", 0), ("high", 0), ("", 0)], BEFORE, "high"),
        ("normal", [("", 1)], BEFORE, "high"),
        ("normal", [("", 5)], BEFORE, "high"),
        ("normal", [("", -1)], BEFORE, "low"),
        ("normal", [("", -5)], BEFORE, "low"),
        ("normal", [("", 1), ("", -1)], BEFORE, "normal"),
        ("high", [("", -1)], BEFORE, "normal"),
        ("high", [("", -1)], ON_THE_DAY, "high"),
        ("high", [("", -2)], ON_THE_DAY, "normal"),
        ("low", [("normal", -1)], ON_THE_DAY, "normal"),
        ("low", [("", 0)], ON_THE_DAY, "normal"),
        ("urgent", [("low", -3)], BEFORE, "urgent"),
        ("urgent", [("high", -3)], ON_THE_DAY, "urgent"),
    ],
)
def test_priority_is_the_highest_then_the_effects_then_the_day_in_any_order_of_routes(
    own: str, asking: list[tuple[str, int]], at: datetime, expected: str
) -> None:
    wedding = WeddingFactory.build(date=date(2030, 6, 19))
    event = EventFactory.build(organization=wedding.organization, wedding=wedding, priority=own)
    routes = [matched(priority, steps) for priority, steps in asking]

    assert {delivery_priority(event, at, order) for order in permutations(routes)} == {Priority(expected)}
