"""Deliveries with what came of them, and the verbs that staff have too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.models import Delivery
from integrations.outbound import Request
from integrations.states import State
from tests.factories import AttemptFactory, DeliveryFactory, EntryFactory, EventFactory, ReasonFactory, SystemFactory
from tests.wedsync.api.conftest import Api
from wedsync.weddings.models import Organization

pytestmark = pytest.mark.django_db
FROZEN = Request("PUT", "/events/BK-77/guest-count", '{"guests": 5}', {"Content-Type": "application/json"})


def test_a_delivery_shows_why_it_exists_what_it_sends_and_each_attempt(api: Api, ours: Organization) -> None:
    system = SystemFactory(organization=ours, credentials={"access_token": "a token"})
    row = DeliveryFactory(organization=ours, system=system, request=FROZEN.as_json(), state="dead", attempt_count=2)
    reason = ReasonFactory(delivery=row)
    for number in (2, 1):
        AttemptFactory(delivery=row, number=number, outcome="failed", status_code=500, error="no answer")

    answer = api.send("get", f"deliveries/{row.id}/")

    body = answer.json()
    assert body["request"] == FROZEN.as_json()
    assert body["reasons"] == [{"route": str(reason.route_id), "route_name": reason.route_name}]
    assert [attempt["number"] for attempt in body["attempts"]] == [1, 2]
    assert (body["recipient"], body["state"], body["event_type"]) == (system.name, "dead", row.event.type)
    assert all(word not in answer.content.decode() for word in ("a token", "lease", "dedupe"))


def test_attempts_are_listed_by_delivery(api: Api, ours: Organization) -> None:
    mine = AttemptFactory(delivery=DeliveryFactory(organization=ours), outcome="unknown")
    AttemptFactory(delivery=DeliveryFactory(organization=ours))

    for query in (f"delivery={mine.delivery_id}", "outcome=unknown"):
        assert [row["id"] for row in api.send("get", f"attempts/?{query}").json()["results"]] == [str(mine.id)]


def test_an_event_shows_its_payload_and_its_channels(api: Api, ours: Organization) -> None:
    event = EventFactory(organization=ours, payload={"capacity": 180})
    entry = EntryFactory(organization=ours, event=event, sequence=7)

    body = api.send("get", f"events/{event.id}/").json()

    assert (body["payload"], body["channels"]) == (
        {"capacity": 180},
        [{"channel": entry.channel.name, "sequence": 7}],
    )
    assert "payload" not in api.send("get", "events/").json()["results"][0]


def test_a_finished_delivery_is_sent_again_as_a_new_one(api: Api, ours: Organization) -> None:
    old = DeliveryFactory(organization=ours, state="dead", request=FROZEN.as_json())

    answer = api.send("post", f"deliveries/{old.id}/resend/")

    assert answer.status_code == 201, answer.content
    new = Delivery.objects.get(id=answer.json()["id"])
    assert (new.event_id, new.generation, new.request) == (old.event_id, 1, None)
    old.refresh_from_db()
    assert old.state == State.DEAD


def test_a_delivery_that_is_not_finished_is_not_sent_again(api: Api, ours: Organization) -> None:
    old = DeliveryFactory(organization=ours)

    answer = api.send("post", f"deliveries/{old.id}/resend/")

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize(("state", "status"), [("pending", 200), ("held", 200), ("succeeded", 409), ("dead", 409)])
def test_only_what_waits_is_cancelled(api: Api, ours: Organization, state: str, status: int) -> None:
    row = DeliveryFactory(organization=ours, state=state)

    answer = api.send("post", f"deliveries/{row.id}/cancel/")

    assert answer.status_code == status, answer.content
    row.refresh_from_db()
    assert row.state == ("cancelled" if status == 200 else state)


def bulk(api: Api, verb: str, **body: Any) -> Any:
    return api.send("post", f"deliveries/{verb}/", body)


def test_many_are_sent_again_once_their_count_is_confirmed(api: Api, ours: Organization) -> None:
    system = SystemFactory(organization=ours)
    for state in ("dead", "dead", "pending"):
        DeliveryFactory(organization=ours, system=system, state=state)
    DeliveryFactory(organization=ours, state="dead")
    wanted = {"system": str(system.id), "state": ["dead"]}

    counted = bulk(api, "resend", filter=wanted)
    assert counted.json() == {"count": 2, "confirm": 2}
    assert Delivery.objects.count() == 4
    done = bulk(api, "resend", filter=wanted, confirm=2)

    assert done.json() == {"count": 2, "done": 2}
    assert Delivery.objects.filter(generation=1).count() == 2


def test_many_are_cancelled_once_their_count_is_confirmed(api: Api, ours: Organization) -> None:
    for state in ("pending", "scheduled", "succeeded"):
        DeliveryFactory(organization=ours, state=state)

    assert bulk(api, "cancel", filter={}, confirm=2).json() == {"count": 2, "done": 2}
    assert Delivery.objects.filter(state="cancelled").count() == 2


@pytest.mark.parametrize("verb", ["resend", "cancel"])
def test_nothing_is_done_when_the_count_no_longer_fits(api: Api, ours: Organization, verb: str) -> None:
    DeliveryFactory(organization=ours, state="dead")
    DeliveryFactory(organization=ours, state="held")

    answer = bulk(api, verb, filter={}, confirm=5)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/count-changed")
    assert answer.json()["count"] == 1
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["dead", "held"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"filter": []}, 422),
        ({"filter": {"state": ["gone"]}}, 422),
        ({"filter": {"state": [["dead"]]}}, 422),
        ({"filter": {"system": {"a": 1}}}, 422),
        ({"filter": {"organization": "x"}}, 400),
        ({"filter": {}, "confirm": 10_001}, 422),
        ({"filter": {}, "confirm": "all"}, 422),
        ({"filter": {}, "confrim": 1}, 422),
        ([], 422),
        ('"resend"', 422),
        ("resend", 400),
    ],
)
def test_a_request_for_many_is_read_strictly(api: Api, ours: Organization, body: Any, status: int) -> None:
    DeliveryFactory(organization=ours, state="dead")

    answer = api.send("post", "deliveries/resend/", body)

    assert (answer.status_code, answer["content-type"]) == (status, "application/problem+json"), answer.content


@pytest.mark.parametrize(("state", "status"), [("scheduled", 200), ("held", 409), ("dead", 409), ("succeeded", 409)])
def test_a_scheduled_delivery_is_tried_now(api: Api, ours: Organization, state: str, status: int) -> None:
    later = timezone.now() + timedelta(hours=2)
    row = DeliveryFactory(organization=ours, state=state, next_attempt_at=later)

    answer = api.send("post", f"deliveries/{row.id}/try-now/")

    row.refresh_from_db()
    assert answer.status_code == status, answer.content
    assert (row.next_attempt_at <= timezone.now()) == (status == 200)
