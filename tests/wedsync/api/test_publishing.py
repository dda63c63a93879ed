"""Which events a client may publish, and where they appear."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.factories import ExternalReferenceFactory, SystemFactory, WeddingFactory
from tests.wedsync.api.conftest import Api
from wedsync.live.event_types.catalogue import CATALOGUE
from wedsync.live.models import ChannelEntry, ChannelEvent
from wedsync.weddings.models import ApiKey, Organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def wedding(ours: Organization) -> Any:
    return WeddingFactory(organization=ours)


def couple(wedding: Any) -> str:
    return f"couple:dashboard:{wedding.id}"


def publish(api: Api, channel: str, body: Any = None, **more: Any) -> Any:
    headers = more.pop("headers", {})
    said = {"type": "custom.menu_chosen", "payload": {}, **more} if body is None else body
    return api.send("post", f"/api/channels/{channel}/events/", said, **headers)


def places(event_id: str) -> set[str]:
    return set(ChannelEntry.objects.filter(event_id=event_id).values_list("channel__name", flat=True))


def refused_at(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.content
    return [error["field"] for error in answer.json()["errors"]]


def test_a_type_of_ones_own_is_stored_with_its_author_and_waits_for_routing(api: Api, wedding: Any) -> None:
    answer = publish(api, couple(wedding), payload={"menu": "<b>veal</b>", "guests": 3, "allergies": None})

    assert answer.status_code == 201
    assert answer.json()["sequence"] == 1
    event = ChannelEvent.objects.get(id=answer.json()["id"])
    assert event.payload == {"menu": "veal", "guests": 3, "wedding_id": str(wedding.id), "extra": {}}
    assert (event.type, event.source, event.author) == ("custom.menu_chosen", "api", "API key “tests”")
    assert (event.wedding_id, event.routing, event.priority) == (wedding.id, "pending", "normal")
    assert places(event.id) == {couple(wedding)}


def test_a_type_of_ones_own_needs_no_wedding(api: Api, ours: Organization) -> None:
    answer = publish(api, "kitchen:screen:1")

    event = ChannelEvent.objects.get(id=answer.json()["id"])
    assert (event.wedding_id, event.routing) == (None, "pending")


def test_a_type_of_the_catalogue_appears_where_a_webhooks_would(api: Api, ours: Organization, wedding: Any) -> None:
    system = SystemFactory(organization=ours)
    ExternalReferenceFactory(organization=ours, system=system, wedding=wedding)

    answer = publish(api, couple(wedding), type="venue.capacity_updated", payload={"capacity": 120})

    assert places(answer.json()["id"]) == {couple(wedding), f"supplier:dashboard:{system.id}"}


def test_a_limited_key_reaches_no_channel_beyond_its_own(api: Api, ours: Organization, wedding: Any) -> None:
    system = SystemFactory(organization=ours)
    ExternalReferenceFactory(organization=ours, system=system, wedding=wedding)
    ApiKey.objects.update(channels=["couple:*:*"])

    answer = publish(api, couple(wedding), type="venue.capacity_updated", payload={"capacity": 120})

    assert places(answer.json()["id"]) == {couple(wedding)}
    assert publish(api, f"supplier:dashboard:{system.id}").status_code == 403


def test_a_suppliers_key_reaches_the_weddings_of_its_system_alone(api: Api, ours: Organization, wedding: Any) -> None:
    system = SystemFactory(organization=ours)
    dashboard = f"supplier:dashboard:{system.id}"
    ExternalReferenceFactory(organization=ours, system=system, wedding=wedding)
    ApiKey.objects.update(channels=[dashboard])
    other = WeddingFactory(organization=ours)
    said = {"type": "gallery.ready", "payload": {"gallery_url": "https://g.example/1"}}

    assert publish(api, dashboard, {**said, "wedding_id": str(wedding.id)}).status_code == 201
    assert refused_at(publish(api, dashboard, {**said, "wedding_id": str(other.id)})) == ["wedding_id"]


@pytest.mark.parametrize("channel", ["ops:health:1", "urgent:wedding-day:1", "ops:made:up"])
def test_our_own_channels_are_closed_and_the_error_names_the_way_for_emergencies(api: Api, channel: str) -> None:
    answer = publish(api, channel)

    assert answer.status_code == 403
    assert "POST /api/incidents/" in answer.json()["detail"]


@pytest.mark.parametrize("name", sorted(name for name, kind in CATALOGUE.items() if kind.is_ours))
def test_what_only_we_say_is_refused(api: Api, wedding: Any, name: str) -> None:
    assert publish(api, couple(wedding), type=name).status_code == 403
    assert not ChannelEvent.objects.exists()


def test_an_emergency_goes_by_the_verb_that_raises_incidents(api: Api, wedding: Any) -> None:
    answer = publish(api, couple(wedding), type="venue.emergency_reported", payload={"kind": "fire"})

    assert answer.status_code == 403
    assert "POST /api/incidents/" in answer.json()["detail"]


@pytest.mark.parametrize(
    "name", ["custom", "custom.", "custom.Menu", "custom.a b", "custom.1", "custom.a.b", "menu.chosen", "*"]
)
def test_other_types_are_refused(api: Api, wedding: Any, name: str) -> None:
    assert refused_at(publish(api, couple(wedding), type=name)) == ["type"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"type": "venue.capacity_updated", "payload": {"capacity": -1}}, "payload.capacity"),
        ({"type": "venue.capacity_updated", "payload": {"capacity": 1, "seats": 2}}, "payload.seats"),
        ({"type": "venue.capacity_updated", "payload": {"capacity": 1, "before": 2}}, "payload.before"),
        ({"type": "custom.note", "payload": []}, "payload"),
        ({"type": "custom.note", "payload": {"before": 1}}, "payload.before"),
        ({"type": "custom.note", "payload": {"text": "x" * 65_536}}, "payload"),
        ({"type": "custom.note", "payload": {"extra": 1}}, "payload.extra"),
        ({"type": "custom.note", "payload": {"wedding_id": "x"}}, "payload.wedding_id"),
        ({"type": "custom.note", "payload": {"wedding_id": str(uuid4())}}, "wedding_id"),
        ({"type": "custom.note", "wedding_id": str(uuid4())}, "wedding_id"),
        ({"type": "custom.note", "priority": "urgent"}, "priority"),
        ({"type": "custom.note", "occurred_at": "2027-01-01T00:00:00Z"}, "occurred_at"),
    ],
)
def test_what_cannot_be_published_is_refused_at_its_field(
    api: Api, wedding: Any, said: dict[str, Any], field: str
) -> None:
    assert refused_at(publish(api, couple(wedding), said)) == [field]
    assert not ChannelEvent.objects.exists()


def test_an_event_of_the_catalogue_needs_a_wedding(api: Api, ours: Organization) -> None:
    said = {"type": "venue.capacity_updated", "payload": {"capacity": 1}}

    assert refused_at(publish(api, "kitchen:screen:1", said)) == ["wedding_id"]


def test_a_channel_that_is_named_after_no_wedding_of_ours_takes_nothing(api: Api, ours: Organization) -> None:
    theirs, nobodys = couple(WeddingFactory()), f"couple:dashboard:{uuid4()}"

    answers = [publish(api, channel) for channel in (theirs, nobodys)]

    assert [refused_at(answer) for answer in answers] == [["wedding_id"]] * 2
    assert answers[0].json()["detail"] == answers[1].json()["detail"]


def test_an_idempotency_key_publishes_once(api: Api, wedding: Any) -> None:
    first, second = (publish(api, couple(wedding), headers={"Idempotency_Key": "menu-1"}) for _ in range(2))

    assert first.json() == second.json()
    assert second["Idempotency-Replayed"] == "true"
    assert ChannelEvent.objects.count() == 1


def test_published_events_have_a_limit_of_their_own(api: Api, wedding: Any, settings: Any) -> None:
    settings.LIMIT_PUBLISHED = 2

    codes = [publish(api, couple(wedding)).status_code for _ in range(3)]

    assert codes == [201, 201, 429]
    assert api.get("/api/integrations/systems/").status_code == 200
