"""Which routes match an event, and which of them shapes what is sent."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from integrations.models import Delivery, Route
from integrations.routing import route_event
from integrations.routing.matching import EventFacts, candidates, keys_of, match
from tests.factories import (
    ConditionFactory,
    EventFactory,
    ExternalReferenceFactory,
    OrganizationFactory,
    RouteFactory,
    SystemFactory,
    WeddingFactory,
)
from tests.integrations.routing.routed_events import stored
from wedsync.live import channels
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority

NAME = "couple:dashboard:1"


@pytest.fixture
def event(db: None) -> ChannelEvent:
    wedding = WeddingFactory(date=date(2030, 6, 19))
    made: ChannelEvent = EventFactory(
        organization=wedding.organization, wedding=wedding, type="booking.created", priority=Priority.NORMAL,
        payload={"booking_id": "B-1", "status": "open", "extra": {"hall": "south"}},
    )  # fmt: skip
    return made


def route_of(event: ChannelEvent, **fields: Any) -> Route:
    made: Route = RouteFactory(organization=event.organization, **{"channel_pattern": "couple:dashboard:{id}"} | fields)
    return made


def matching(event: ChannelEvent, *names: str) -> list[Route]:
    subject = EventFacts.of(event, names or [NAME])
    found = list(candidates(subject))
    assert {route for route in Route.objects.all() if match(route, subject)} <= {
        *found, *Route.objects.exclude(organization=event.organization)
    }  # fmt: skip
    return [route for route in found if match(route, subject)]


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("couple:dashboard:1", True),
        ("couple:dashboard:2", False),
        ("couple:dashboard:*", True),
        ("couple:*:{x}", True),
        ("{a}:{b}:{c}", True),
        ("*:*:*", True),
        ("*:dashboard:1", True),
        ("supplier:dashboard:*", False),
    ],
)
def test_patterns_find_their_routes_through_the_index(event: ChannelEvent, pattern: str, matches: bool) -> None:
    made = route_of(event, channel_pattern=pattern)

    assert matching(event) == ([made] if matches else [])


@pytest.mark.parametrize(
    ("types", "matches"),
    [
        ([], True),
        (["booking.created"], True),
        (["booking.*"], True),
        (["*.created"], True),
        (["*"], True),
        (["gallery.ready", "booking.*"], True),
        (["booking.updated", "gallery.*", "*.cancelled"], False),
    ],
)
def test_type_filters_find_their_routes_through_the_index(event: ChannelEvent, types: list[str], matches: bool) -> None:
    made = route_of(event, event_types=types)

    assert matching(event) == ([made] if matches else [])


segments = st.sampled_from(["couple", "supplier", "dashboard", "1", "2", "*", "{id}", "{other}"])
names = st.tuples(*[st.sampled_from(["couple", "supplier", "dashboard", "1", "2"])] * 3).map(":".join)


@given(pattern=st.tuples(segments, segments, segments).map(":".join), appears=st.lists(names, min_size=1, max_size=4))
def test_the_keys_of_an_event_hold_that_of_each_pattern_that_covers_it(pattern: str, appears: list[str]) -> None:
    organization = OrganizationFactory.build()
    normalized = ":".join("*" if part.startswith("{") else part for part in pattern.split(":"))

    found = f"{organization.id}|{normalized}|booking.*" in keys_of(organization.id, "booking.created", appears)

    assert found == any(channels.matches(pattern, name) for name in appears)


def test_a_route_that_matches_on_several_channels_matches_once(event: ChannelEvent) -> None:
    made = route_of(event, channel_pattern="*:*:*")

    assert matching(event, NAME, "supplier:dashboard:1", "supplier:photography:1") == [made]


def test_what_another_organization_routes_matches_nothing_of_ours(event: ChannelEvent) -> None:
    RouteFactory(channel_pattern="*:*:*")

    assert matching(event) == []


@pytest.mark.parametrize(
    ("starts", "ends", "matches"),
    [(-1, 1, True), (0, 1, True), (-1, 0, False), (1, 2, False), (None, 1, True), (1, None, False), (0, None, True)],
)
def test_a_window_is_half_open_and_judged_when_the_event_was_received(
    event: ChannelEvent, starts: int | None, ends: int | None, matches: bool
) -> None:
    bounds = [None if each is None else event.received_at + timedelta(hours=each) for each in (starts, ends)]
    made = route_of(event, active_from=bounds[0], active_until=bounds[1])

    assert matching(event) == ([made] if matches else [])


def test_a_window_that_ends_before_it_begins_is_refused_at_its_field_and_by_the_database(event: ChannelEvent) -> None:
    now = timezone.now()
    made = route_of(event, active_from=now)
    made.active_until = now - timedelta(hours=1)

    with pytest.raises(ValidationError) as raised:
        made.full_clean()
    assert "active_until" in raised.value.message_dict
    with pytest.raises(IntegrityError), transaction.atomic():
        made.save()


@pytest.mark.parametrize(
    ("conditions", "matches"),
    [
        ([("extra.hall", "equals", "south", "require")], True),
        ([("extra.hall", "equals", "north", "require")], False),
        ([("extra.hall", "equals", "south", "require"), ("status", "equals", "closed", "require")], False),
        ([("extra.hall", "equals", "south", "exclude")], False),
        ([("extra.hall", "equals", "north", "exclude")], True),
        ([("extra.hall", "equals", "north", "exclude"), ("status", "equals", "open", "exclude")], False),
        ([("extra.hall", "equals", "north", "raise_priority")], True),
        ([("extra.hall", "equals", "north", "lower_priority")], True),
    ],
)
def test_all_that_is_required_must_hold_and_nothing_that_excludes(
    event: ChannelEvent, conditions: list[tuple[str, str, Any, str]], matches: bool
) -> None:
    made = route_of(event)
    for path, operator, value, effect in conditions:
        ConditionFactory(route=made, path=path, operator=operator, value=value, effect=effect)

    assert matching(event) == ([made] if matches else [])


def test_finding_candidates_takes_two_queries_whatever_the_number_of_routes(event: ChannelEvent) -> None:
    for _ in range(5):
        ConditionFactory(route=route_of(event), path="status", operator="equals", value="open")

    with CaptureQueriesContext(
        connection,
    ) as queries:
        subject = EventFacts.of(event, [NAME])
        assert len([route for route in candidates(subject) if match(route, subject)]) == 5
    assert len(queries) == 2


def test_no_route_may_ask_for_urgent(event: ChannelEvent) -> None:
    made = route_of(event)
    made.priority = "urgent"

    with pytest.raises(ValidationError):
        made.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        made.save()


@pytest.mark.django_db
@pytest.mark.parametrize("order", list(permutations(["a", "b", "c"])))
def test_routes_to_one_system_make_one_delivery_the_same_in_whatever_order_they_were_made(order: Any) -> None:
    wedding = WeddingFactory(date=date(2030, 6, 19))
    reference = ExternalReferenceFactory(organization=wedding.organization, wedding=wedding)
    fields: dict[str, Any] = {
        "a": {"priority": "high"},
        "b": {"mapping": {"pax": "guest_count"}},
        "c": {"template": '{"guests": {{ payload.guest_count }}}'},
    }
    common = {"organization": wedding.organization, "system": reference.system}
    routes = {
        name: RouteFactory(**common, name=name, channel_pattern="couple:dashboard:*", **fields[name]) for name in order
    }
    ConditionFactory(route=routes["c"], path="guest_count", operator="greater", value=90, effect="lower_priority")

    event = stored(wedding, payload={"guest_count": 91})
    assert route_event.route(event.id) == 1

    delivery = Delivery.objects.get(event=event)
    assert (delivery.priority, delivery.shaped_by) == ("normal", routes["b"])
    assert set(delivery.reasons.values_list("route_name", flat=True)) == {"a", "b", "c"}


@pytest.mark.django_db
def test_a_delivery_outlives_the_route_that_shapes_it() -> None:
    wedding = WeddingFactory(date=date(2030, 6, 19))
    reference = ExternalReferenceFactory(organization=wedding.organization, wedding=wedding)
    made = RouteFactory(
        organization=wedding.organization,
        system=reference.system,
        channel_pattern="couple:dashboard:*",
        mapping={"pax": "guest_count"},
    )
    event = stored(wedding, payload={"guest_count": 91})
    route_event.route(event.id)

    made.delete()

    assert Delivery.objects.get(event=event).shaped_by is None


@pytest.mark.django_db
def test_a_condition_that_breaks_keeps_no_other_route_from_an_event() -> None:
    wedding = WeddingFactory(date=date(2030, 6, 19))
    reference = ExternalReferenceFactory(organization=wedding.organization, wedding=wedding)
    common = {"organization": wedding.organization, "channel_pattern": "couple:dashboard:*"}
    broken = RouteFactory(**common, system=SystemFactory(organization=wedding.organization))
    ConditionFactory(route=broken, path="extra.text", operator="matches", value="(")
    RouteFactory(**common, system=reference.system)
    event = stored(wedding, payload={"guest_count": 91, "extra": {"text": "x"}})

    assert route_event.route(event.id) == 1


@pytest.mark.parametrize("value", ["south", "S-1", 7, 7.0, "7", 8, True, None, ["south"], {"a": 1}])
@pytest.mark.parametrize("found", ["south", 7, 7.0, "7", True, None, ["south"], {"a": 1}])
@pytest.mark.parametrize("path", ["extra.hall", "payload.extra.hall", "extra.halls.0", "extra.halls.*", "extra.no"])
def test_no_route_that_would_match_is_left_out_before_its_conditions_are_asked(
    event: ChannelEvent, path: str, value: Any, found: Any
) -> None:
    event.payload = {"extra": {"hall": found, "halls": [found]}}
    made = route_of(event)
    ConditionFactory(route=made, path=path, operator="equals", value=value)
    subject = EventFacts.of(event, [NAME])

    expected = match(made, subject)

    matching = [match(route, subject) for route in candidates(subject)]
    assert [each for each in matching if each] == [expected] * bool(expected)


def test_among_routes_that_differ_in_a_condition_only_those_that_may_match_are_read(event: ChannelEvent) -> None:
    for number in range(20):
        made = route_of(event, name=f"hall {number}")
        ConditionFactory(route=made, path="extra.hall", operator="equals", value="south" if number < 2 else f"{number}")

    assert len(list(candidates(EventFacts.of(event, [NAME])))) == 2
