"""Routes with conditions, windows and transforms by the API, and what they would make of an event."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.models import Delivery, Route, RouteCondition
from tests.factories import EntryFactory, EventFactory, ExternalReferenceFactory, RouteFactory, SystemFactory
from tests.wedsync.api.conftest import Api
from tests.wedsync.api.test_border import everything
from wedsync.weddings.models import Organization

pytestmark = pytest.mark.django_db
SMALL = {"path": "capacity", "operator": "less", "value": 100, "effect": "require"}


def route_body(system: Any, **more: Any) -> dict[str, Any]:
    return {
        "name": "Small halls to the venue",
        "channel_pattern": "supplier:dashboard:{supplierId}",
        "event_types": ["venue.*"],
        "target": "system",
        "system": str(system.id),
        **more,
    }


def test_a_route_is_written_with_its_conditions_and_a_change_replaces_them(api: Api, ours: Organization) -> None:
    system = SystemFactory(organization=ours)
    made = api.send(
        "post",
        "channel-config/",
        route_body(system, conditions=[SMALL], priority="high", active_from="2026-01-01T00:00Z"),
    )
    assert made.status_code == 201, made.content
    url = f"channel-config/{made.json()['id']}/"

    renamed = api.send("patch", url, {"name": "Other"})
    changed = api.send("patch", url, {"conditions": [{**SMALL, "value": 50}, {"path": "extra.hall", "value": "south"}]})

    assert made.json()["conditions"] == renamed.json()["conditions"] == [SMALL]
    assert [each["value"] for each in changed.json()["conditions"]] == [50, "south"]
    assert changed.json() == api.send("get", url).json()
    assert (Route.objects.get().priority, RouteCondition.objects.count()) == ("high", 2)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"conditions": [SMALL, {**SMALL, "operator": "about"}]}, "conditions.1.operator"),
        ({"conditions": [{**SMALL, "value": None}]}, "conditions.0.value"),
        ({"conditions": [{**SMALL, "path": "a b"}]}, "conditions.0.path"),
        ({"conditions": [{**SMALL, "operator": "matches", "value": "("}]}, "conditions.0.value"),
        ({"conditions": [{**SMALL, "weight": 5}]}, "conditions.0.weight"),
        ({"conditions": SMALL}, "conditions"),
        ({"priority": "urgent"}, "priority"),
        ({"event_types": ["veneu.*"]}, "event_types"),
        ({"mapping": {"a": "no.such"}}, "mapping"),
        ({"mapping": []}, "mapping"),
        ({"template": "{{ nobody }}"}, "template"),
        ({"template": "{% for"}, "template"),
        ({"active_from": "2026-02-01T00:00Z", "active_until": "2026-01-01T00:00Z"}, "active_until"),
    ],
)
def test_what_could_never_hold_is_refused_and_nothing_of_it_stays(
    api: Api, ours: Organization, change: dict[str, Any], field: str
) -> None:
    route = RouteFactory(organization=ours, event_types=["venue.capacity_updated"])
    before = everything()

    answer = api.send("patch", f"channel-config/{route.id}/", change)

    assert answer.status_code == 422, answer.content
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert everything() == before


def test_a_stored_event_is_tried_without_a_trace(api: Api, ours: Organization) -> None:
    reference = ExternalReferenceFactory(organization=ours)
    event = EventFactory(
        organization=ours, wedding=reference.wedding, type="guest_count.changed", payload={"guest_count": 120}
    )
    channel = EntryFactory(organization=ours, event=event).channel
    channel.name = f"supplier:dashboard:{reference.system_id}"
    channel.save()
    fits = RouteFactory(organization=ours, system=reference.system, name="fits")
    refused = RouteFactory(organization=ours, system=reference.system, name="too large")
    RouteCondition.objects.create(route=refused, **{**SMALL, "path": "guest_count"})
    RouteFactory(name="another organization's")
    before = everything()

    answer = api.send("post", "channel-config/dry-run/", {"event_id": str(event.id)})

    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert {each["route"]: each["matches"] for each in body["routes"]} == {str(fits.id): True, str(refused.id): False}
    assert any(not check["passed"] for check in body["routes"][1]["checks"])
    assert [each["routes"] for each in body["deliveries"]] == [["fits"]]
    assert body["deliveries"][0]["request"] or body["deliveries"][0]["problem"]
    assert everything() == before
    assert not Delivery.objects.exists()


def test_a_pasted_event_is_tried_where_it_is_said_to_appear(api: Api, ours: Organization) -> None:
    route = RouteFactory(organization=ours, channel_pattern="supplier:dashboard:*")
    event = {"type": "venue.capacity_updated", "payload": {"capacity": 90}, "channels": ["supplier:dashboard:x"]}

    body = api.send("post", "channel-config/dry-run/", {"event": event}).json()

    assert (body["event"], body["channels"]) == (None, ["supplier:dashboard:x"])
    assert [(each["route"], each["matches"]) for each in body["routes"]] == [(str(route.id), True)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "event_id"),
        ({"event_id": "x"}, "event_id"),
        ({"event": {"type": "venue.burnt_down"}}, "event.type"),
        ({"event": {"type": "venue.capacity_updated", "payload": {"capacity": "many"}}}, "event.payload.capacity"),
        ({"event": {"type": "gallery.ready", "channels": ["here"]}}, "event"),
        ({"event": "x"}, "event"),
    ],
)
def test_an_event_that_could_not_be_is_blamed_at_its_field(api: Api, ours: Organization, body: Any, field: str) -> None:
    answer = api.send("post", "channel-config/dry-run/", body)

    assert answer.status_code == 422, answer.content
    assert answer.json()["errors"][0]["field"].startswith(field)
