"""Lists come in pages that neither repeat nor skip a row; what they are filtered by is read strictly."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from itertools import chain
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.utils import timezone

from integrations.models import Connection, Delivery, RouteCondition, System
from tests.factories import (
    AttemptFactory,
    ConnectionFactory,
    ContactFactory,
    DeliveryFactory,
    EventFactory,
    ExternalReferenceFactory,
    ReasonFactory,
    RouteFactory,
    SystemFactory,
)
from tests.wedsync.api.conftest import Api
from wedsync.weddings.models import ApiKey, Organization

pytestmark = pytest.mark.django_db
MAKERS: dict[str, Callable[[Organization], Any]] = {
    "channel-config": lambda ours: RouteCondition.objects.create(
        route=RouteFactory(organization=ours), path="capacity", value=1
    ),
    "systems": lambda ours: SystemFactory(organization=ours, credentials={"access_token": "x"}),
    "connections": lambda ours: ConnectionFactory(organization=ours, secret="x"),
    "references": lambda ours: ExternalReferenceFactory(organization=ours),
    "events": lambda ours: EventFactory(organization=ours),
    "deliveries": lambda ours: ReasonFactory(delivery=DeliveryFactory(organization=ours)),
    "attempts": lambda ours: AttemptFactory(delivery=DeliveryFactory(organization=ours)),
}
each_list = pytest.mark.parametrize("name", MAKERS)


def walk(api: Api, url: str | None, towards: str = "next") -> list[list[str]]:
    pages = []
    while url:
        answer = api.send("get", url)
        assert answer.status_code == 200, answer.content
        pages.append([row["id"] for row in answer.json()["results"]])
        url = answer.json()[towards]
    return pages


@each_list
def test_pages_hold_every_row_once_newest_first_and_lead_back(api: Api, ours: Organization, name: str) -> None:
    for _ in range(5):
        MAKERS[name](ours)
    whole = [row["id"] for row in api.send("get", f"{name}/").json()["results"]]

    forwards = walk(api, f"{name}/?limit=2")
    last = f"{name}/?limit=2"
    for _ in range(2):
        last = api.send("get", last).json()["next"]
    backwards = walk(api, last, "previous")

    assert [len(page) for page in forwards] == [2, 2, 1]
    assert list(chain.from_iterable(forwards)) == whole
    assert backwards == forwards[::-1]
    if name != "connections":
        assert whole == sorted(whole, reverse=True)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_connections_of_the_same_moment_keep_an_order_in_both_directions(
    api: Api, ours: Organization, limit: int
) -> None:
    for _ in range(7):
        ConnectionFactory(organization=ours)
    Connection.objects.update(created_at=timezone.now())

    forwards = walk(api, f"connections/?limit={limit}")
    last = f"connections/?limit={limit}"
    for _ in forwards[1:]:
        last = api.send("get", last).json()["next"]
    backwards = walk(api, last, "previous")

    assert len(set(chain.from_iterable(forwards))) == 7
    assert backwards == forwards[::-1]


def test_a_row_that_comes_in_meanwhile_moves_no_page(api: Api, ours: Organization) -> None:
    rows = [str(SystemFactory(organization=ours).id) for _ in range(4)]
    first = api.send("get", "systems/?limit=2").json()
    SystemFactory(organization=ours)

    second = api.send("get", first["next"]).json()

    assert [row["id"] for row in second["results"]] == rows[1::-1]


@each_list
def test_a_list_costs_as_many_queries_for_many_rows_as_for_one(
    api: Api, ours: Organization, name: str, django_assert_num_queries: Any
) -> None:
    MAKERS[name](ours)
    api.send("get", f"{name}/")  # notes the key's use

    needed = 3 if name == "channel-config" else 2  # with their conditions
    with django_assert_num_queries(needed):
        api.send("get", f"{name}/")
    for _ in range(9):
        MAKERS[name](ours)
    with django_assert_num_queries(needed):
        assert len(api.send("get", f"{name}/").json()["results"]) == 10


def cursor(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


@pytest.mark.parametrize(
    "text",
    ["x", "", "%00", "é", cursor("n"), cursor("n", 5), cursor("n", "x"), cursor("x", str(UUID(int=7))),
     cursor("n", "a", "b"),     cursor("n", "2026-06-19T10:00:00", "wsc_x"),
     cursor("n", ["x"]), cursor({"n": 1}), base64.urlsafe_b64encode(b"[" * 5000).decode()],
)  # fmt: skip
@pytest.mark.parametrize("name", ["systems", "connections"])
def test_a_cursor_that_is_none_of_ours_is_refused(api: Api, name: str, text: str) -> None:
    answer = api.send("get", f"{name}/?cursor={text if text == '%00' else quote(text)}")

    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/bad-page")


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "1.5", "", "٣", "99999999999"])
def test_a_limit_outside_its_bounds_is_refused(api: Api, limit: str) -> None:
    answer = api.send("get", f"systems/?limit={limit}")

    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/bad-page")


@each_list
def test_an_unknown_parameter_is_named(api: Api, name: str) -> None:
    answer = api.send("get", f"{name}/?organisation=1&limit=5")

    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/unknown-filter")
    assert "organisation" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("deliveries/?state=gone", "state"),
        ("deliveries/?system=5", "system"),
        ("deliveries/?created_after=yesterday", "created_after"),
        ("deliveries/?q=" + "x" * 101, "q"),
        ("attempts/?status_code=x", "status_code"),
        ("systems/?kind=fax", "kind"),
        ("events/?wedding=x", "wedding"),
    ],
)
def test_a_value_that_can_not_be_read_is_blamed_at_its_name(api: Api, query: str, field: str) -> None:
    answer = api.send("get", query)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_text_with_nul_is_no_search(api: Api) -> None:
    answer = api.send("get", "systems/?q=%00")

    assert (answer.status_code, answer["content-type"]) == (422, "application/problem+json")


def test_each_filter_of_deliveries_leaves_what_it_means(api: Api, ours: Organization, key: ApiKey) -> None:
    contact = ContactFactory(organization=ours, name="Clara Winter")
    wanted = DeliveryFactory(
        organization=ours,
        state="dead",
        state_reason="refused",
        priority="urgent",
        channel="email",
        target="clara@people.example",
        contact=contact,
        system=SystemFactory(organization=ours, kind=System.Kind.EMAIL),
        event=EventFactory(organization=ours, type="payment.failed"),
    )
    reason = ReasonFactory(delivery=wanted)
    DeliveryFactory(organization=ours)
    moment = timezone.now() - timedelta(days=2)
    Delivery.objects.filter(id=wanted.id).update(created_at=moment)
    before, after = (quote((moment + timedelta(days=step)).isoformat()) for step in (1, -1))

    queries = [
        "state=dead", "state=dead&state=cancelled", "reason=refused", "priority=urgent", "channel=email", "kind=email",
        f"system={wanted.system_id}", f"contact={contact.id}", f"event={wanted.event_id}",
        "event_type=payment.failed", f"wedding={wanted.event.wedding_id}", f"route={reason.route_id}",
        f"created_before={before}", f"created_after={after}&created_before={before}", "q=winter", "q=CLARA@",
    ]  # fmt: skip
    for query in queries:
        found = [row["id"] for row in api.send("get", f"deliveries/?{query}").json()["results"]]
        assert found == [str(wanted.id)], query


def test_a_filter_stays_on_the_following_pages(api: Api, ours: Organization) -> None:
    for state in ("dead", "pending") * 3:
        DeliveryFactory(organization=ours, state=state)

    pages = walk(api, "deliveries/?state=dead&limit=1")

    assert [len(page) for page in pages] == [1, 1, 1]
