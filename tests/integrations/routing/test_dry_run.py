"""What a dry run says, and that it does nothing."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from integrations.models import Delivery, Route, System
from integrations.routing import dry_run, route_event
from integrations.routing.dry_run import CannotTry, Paste, explain, pasted
from tests.factories import (
    AddressFactory,
    ConditionFactory,
    ContactFactory,
    ExternalReferenceFactory,
    OrganizationFactory,
    RouteFactory,
    SystemFactory,
    WeddingFactory,
)
from tests.integrations.routing.routed_events import people_route, stored

pytestmark = pytest.mark.django_db
EVERYWHERE = "couple:dashboard:{id}"


@pytest.fixture
def wedding() -> Any:
    return WeddingFactory(date=date(2030, 6, 19))


@pytest.fixture
def venue(wedding: Any) -> System:
    system: System = ExternalReferenceFactory(
        organization=wedding.organization,
        wedding=wedding,
        external_id="BK-7",
        system=SystemFactory(organization=wedding.organization, credentials={"access_token": "a secret token"}),
    ).system
    return system


def route_to(system: System, **fields: Any) -> Route:
    common = {"organization": system.organization, "system": system, "channel_pattern": EVERYWHERE}
    made: Route = RouteFactory(**common | fields)
    return made


def rows() -> dict[str, int]:
    return {model._meta.label: model._default_manager.count() for model in apps.get_models()}


def paste(wedding: Any, **fields: Any) -> Any:
    common = {"type": "guest_count.changed", "payload": {"guest_count": 130}, "wedding": wedding}
    return pasted(Paste(**{"organization": wedding.organization, **common, **fields}))


def test_it_tells_of_every_route_why_it_matches_or_not_those_that_match_first(wedding: Any, venue: System) -> None:
    now = timezone.now()
    refusing = {
        "inactive": {"active": False},
        "closed": {"active_until": now - timedelta(days=1)},
        "elsewhere": {"channel_pattern": "form:response:{id}"},
        "other type": {"event_types": ["gallery.*"]},
        "condition": {},
    }
    for name, fields in refusing.items():
        route_to(venue, name=name, **fields)
    ConditionFactory(route=Route.objects.get(name="condition"), operator="less", value=100)
    ConditionFactory(route=route_to(venue, name="zz matches"), operator="greater", value=100)

    found = explain(stored(wedding, payload={"guest_count": 130}))

    assert [answer.name for answer in found.route_answers] == ["zz matches", *sorted(refusing)]
    assert [answer.matches for answer in found.route_answers] == [True] + [False] * 5
    refusals = {answer.name: [check for check in answer.checks if not check.passed] for answer in found.others}
    assert {name: [check.about for check in checks] for name, checks in refusals.items()} == {
        "inactive": ["active"],
        "closed": ["window"],
        "elsewhere": ["channel"],
        "other type": ["event_type"],
        "condition": ["condition"],
    }
    refused = refusals["condition"][0].as_json()
    assert (refused["path"], refused["wanted"], refused["found"]) == ("guest_count", 100, [130])


def test_what_would_be_sent_is_what_is_sent_then(wedding: Any, venue: System) -> None:
    raising = route_to(venue, name="shapes", mapping={"pax": "guest_count"})
    ConditionFactory(route=raising, effect="raise_priority")
    people_route(wedding)
    person = ContactFactory(organization=wedding.organization, wedding=wedding, role="couple")
    AddressFactory(organization=wedding.organization, value=person.phone)
    ContactFactory(organization=wedding.organization, wedding=wedding, role="couple")  # did not consent
    event = stored(wedding, payload={"guest_count": 130})

    told = explain(event).deliveries
    assert route_event.route(event.id) == len(told) == 3

    made = Delivery.objects.filter(event=event).select_related("system", "contact", "shaped_by")
    assert Counter((each.recipient, each.channel, each.priority, each.state, each.reason) for each in told) == Counter(
        (str(each.recipient), each.channel, each.priority, each.state, each.state_reason) for each in made
    )
    to_system = next(each for each in told if each.channel == "system")
    assert to_system.request is not None
    assert json.loads(to_system.request.body)["payload"] == {"pax": 130}
    assert (to_system.shaped_by, to_system.priority) == ("shapes", "high")
    assert any("conditions raise" in why for why in to_system.priority_because)
    message = next(each for each in told if each.channel == "whatsapp" and each.state == "pending")
    assert "130" in message.text
    assert {each.already for each in explain(event).deliveries} == {"pending", "skipped"}


@pytest.mark.parametrize("kind", ["stored", "pasted"])
def test_nothing_is_written_and_no_credential_is_told(wedding: Any, venue: System, kind: str) -> None:
    route_to(venue)
    people_route(wedding)
    person = ContactFactory(organization=wedding.organization, wedding=wedding, role="couple")
    AddressFactory(organization=wedding.organization, value=person.phone)
    event, names = (stored(wedding), None) if kind == "stored" else paste(wedding)
    before = rows()

    found = explain(event, names)

    assert len(found.deliveries) == 2
    assert rows() == before
    assert "a secret token" not in json.dumps(found.as_json())


def test_a_pasted_event_appears_where_its_type_does_or_where_one_says(wedding: Any, venue: System) -> None:
    event, names = paste(wedding)
    assert names == sorted([f"couple:dashboard:{wedding.id}", f"supplier:dashboard:{venue.id}"])
    assert explain(event, names).event_id is None

    route_to(venue, channel_pattern="wall:display:*")
    assert explain(*paste(wedding, channels=["wall:display:1"])).matching
    assert not explain(*paste(wedding)).matching


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"type": "guests.melted"}, "type"),
        ({"payload": {"guest_count": "many"}}, "payload.guest_count"),
        ({"payload": {}}, "payload.guest_count"),
        ({"payload": {"guest_count": 1, "extra": {"x": "\x00"}}}, "payload"),
        ({"channels": ["no channel"]}, "channels"),
        ({"priority": "soon"}, "priority"),
    ],
)
def test_an_event_that_can_not_be_is_refused_at_its_field(wedding: Any, fields: Any, field: str) -> None:
    with pytest.raises(CannotTry) as raised:
        paste(wedding, **fields)
    assert [problem.field for problem in raised.value.problems] == [field]


def test_weddings_and_systems_of_another_organization_can_not_be_pasted(wedding: Any) -> None:
    with pytest.raises(CannotTry) as raised:
        paste(wedding, organization=OrganizationFactory(), source_system=SystemFactory())
    assert [problem.field for problem in raised.value.problems] == ["wedding", "source_system"]


def test_routes_of_another_organization_are_not_told_of(wedding: Any) -> None:
    RouteFactory(channel_pattern="*:*:*")

    assert explain(stored(wedding)).route_answers == ()


@pytest.mark.parametrize("why", ["echo", "no reference", "no call"])
def test_it_says_why_a_route_that_matches_makes_nothing(wedding: Any, venue: System, why: str) -> None:
    event = stored(wedding, source_system_id=venue.id if why == "echo" else None)
    system = SystemFactory(organization=wedding.organization) if why == "no reference" else venue
    route_to(system)
    if why == "no call":
        event = stored(wedding, "gallery.ready", {"gallery_url": "https://gallery.example/1"})

    found = explain(event)

    expected = {"echo": "does not allow echo", "no reference": "no external reference", "no call": "has no call"}
    assert expected[why] in found.matching[0].note
    assert found.deliveries == ()


def test_what_breaks_is_told_where_it_breaks(wedding: Any, venue: System) -> None:
    route_to(venue, name="breaks later", template='{"a": {{ payload.extra.hall + 1 }}}')
    broken = route_to(venue, name="broken")
    ConditionFactory(route=broken, path="extra.hall", operator="matches", value="(")

    found = explain(stored(wedding, payload={"guest_count": 130, "extra": {"hall": "south"}}))

    assert [(answer.name, bool(answer.problem)) for answer in found.matching] == [
        ("breaks later", False),
        ("broken", True),
    ]
    assert [(each.request, "fails" in each.problem) for each in found.deliveries] == [(None, True)]


def test_the_routes_that_do_not_match_come_page_by_page(wedding: Any, venue: System) -> None:
    for number in range(5):
        route_to(venue, name=f"route {number}", event_types=["gallery.ready"])
    event = stored(wedding)

    pages = [explain(event, after=after, most=2) for after in (0, 2, 4)]

    assert [answer.name for page in pages for answer in page.others] == [f"route {number}" for number in range(5)]
    assert {page.others_count for page in pages} == {5}


def test_a_paused_system_and_a_broken_setting_are_told(wedding: Any, venue: System) -> None:
    System.objects.filter(id=venue.id).update(state="paused")
    route_to(venue)
    team = SystemFactory(organization=wedding.organization, kind="email")
    people_route(wedding, channels=["email"])
    ContactFactory(organization=wedding.organization, wedding=wedding, role="couple")

    told = {each.channel: each for each in explain(stored(wedding)).deliveries}

    assert (told["system"].state, told["system"].reason) == ("held", "system_paused")
    assert "lack from" in told["email"].problem
    assert team.name in told["email"].problem


def test_an_event_that_was_not_routed_says_so(wedding: Any) -> None:
    event = stored(wedding)
    event.routing = "unlinked"

    assert "unlinked" in explain(event).note
    assert dry_run.explain(stored(wedding)).note == ""
