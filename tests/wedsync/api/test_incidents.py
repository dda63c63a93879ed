"""Incidents by the API: raised, acknowledged, resolved, and drilled; each once."""

from __future__ import annotations

from typing import Any

import pytest

from notifications.models import Incident
from tests.factories import IncidentFactory, WeddingFactory
from tests.wedsync.api.conftest import Api
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Organization

pytestmark = pytest.mark.django_db


def asked(ours: Organization, **more: Any) -> dict[str, Any]:
    wedding = WeddingFactory(organization=ours)
    return {"wedding": str(wedding.id), "kind": "fire", "description": "In the kitchen", **more}


def test_an_emergency_that_is_raised_twice_with_one_key_is_one(api: Api, ours: Organization) -> None:
    body = asked(ours)

    first, second = (api.send("post", "/api/incidents/", body, Idempotency_Key="abc") for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    event = ChannelEvent.objects.get(type="venue.emergency_reported")
    assert str(event.id) == first.json()["event"]
    assert event.payload["reported_by"] == "API key “tests”"


def test_a_second_drill_of_a_wedding_is_a_conflict(api: Api, ours: Organization) -> None:
    body = asked(ours, drill=True)
    assert api.send("post", "/api/incidents/", body).status_code == 201

    answer = api.send("post", "/api/incidents/", body)

    assert (answer.status_code, answer["content-type"]) == (409, "application/problem+json")
    assert "under way" in answer.json()["detail"]
    assert Incident.objects.get().drill


@pytest.mark.parametrize("wrong", [{"kind": ""}, {"description": ""}, {"wedding": "x"}, {"drill": "maybe"}])
def test_what_can_not_be_taken_is_blamed_at_its_field(api: Api, ours: Organization, wrong: dict[str, Any]) -> None:
    answer = api.send("post", "/api/incidents/", asked(ours) | wrong)

    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == list(wrong)
    assert not ChannelEvent.objects.exists()


def test_it_is_acknowledged_and_resolved_once_and_says_by_whom(api: Api, ours: Organization) -> None:
    incident = IncidentFactory(organization=ours)
    path = f"/api/incidents/{incident.id}/"

    taken = [api.send("post", f"{path}acknowledge/").json() for _ in range(2)]
    ended = [api.send("post", f"{path}resolve/").json() for _ in range(2)]

    assert taken[0] == taken[1]
    assert (taken[0]["state"], taken[0]["acknowledged_by"]) == ("acknowledged", "API key “tests”")
    assert ended[0] == ended[1]
    assert (ended[0]["state"], ended[0]["resolved_by"]) == ("resolved", "API key “tests”")
    types = ChannelEvent.objects.filter(type__startswith="incident.").values_list("type", flat=True)
    assert sorted(types) == ["incident.acknowledged", "incident.resolved"]


def test_they_are_listed_by_state(api: Api, ours: Organization) -> None:
    IncidentFactory(organization=ours, state="resolved")
    open_one = IncidentFactory(organization=ours)

    found = api.send("get", "/api/incidents/?state=open").json()["results"]

    assert [each["id"] for each in found] == [str(open_one.id)]
