"""What an endpoint does not know is refused by name: a mistyped field never means "left out"."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.factories import (
    ConnectionFactory,
    ContactFactory,
    DeliveryFactory,
    EventFactory,
    ExternalReferenceFactory,
    FormFactory,
    IncidentFactory,
    NotificationFactory,
    RouteFactory,
    SystemFactory,
    WeddingFactory,
)
from tests.wedsync.api.conftest import Api
from tests.wedsync.api.test_border import BY_ID, IN_BODY, LISTS, WITHOUT_IDS, everything, filled, ids, shape
from wedsync.weddings.models import Organization

pytestmark = pytest.mark.django_db
UNKNOWN = "chanels"
WRITES: dict[tuple[str, str], Any] = {
    **{case: body for case, body in (BY_ID | IN_BODY).items() if case[0] != "get"},
    ("post", "channels/tickets/"): {},
    ("post", "integrations/systems/"): {"name": "x", "kind": "webhook", "base_url": "https://a.example"},
    ("post", "integrations/deliveries/resend/"): {"filter": {"state": ["dead"]}},
    ("post", "integrations/deliveries/cancel/"): {"filter": {"state": ["held"]}},
}
READS = [case for case in (*BY_ID, *LISTS, *sorted(WITHOUT_IDS)) if case[0] == "get"]
ROWS = [case for case in BY_ID if case[0] == "patch"]


@pytest.fixture
def own(ours: Organization) -> dict[str, str]:
    """One of everything, of the caller's own."""
    mine: Any = {"organization": ours}
    wedding = WeddingFactory(**mine)
    system = SystemFactory(**mine)
    event = EventFactory(**mine, wedding=wedding)
    rows = {
        "wedding": wedding,
        "form": FormFactory(**mine, wedding=wedding),
        "contact": ContactFactory(**mine, wedding=wedding),
        "system": system,
        "own_system": system,
        "connection": ConnectionFactory(**mine, system=system),
        "reference": ExternalReferenceFactory(**mine, system=system, wedding=wedding),
        "route": RouteFactory(**mine, system=system),
        "event": event,
        "delivery": DeliveryFactory(**mine, event=event, system=system, state="dead"),
        "incident": IncidentFactory(**mine, event=event, wedding=wedding),
        "notification": NotificationFactory(**mine, event=event),
    }
    return {name: str(row.pk) for name, row in rows.items()} | {"name": f"couple:dashboard:{wedding.pk}"}


def named(answer: Any) -> set[str]:
    assert answer.status_code == 422, answer.content
    return {each["field"] for each in answer.json()["errors"]}


def test_every_endpoint_that_changes_something_is_tried_here() -> None:
    every = {case for case in (*BY_ID, *IN_BODY, *WITHOUT_IDS) if case[0] != "get"}

    assert {(method, shape(path)) for method, path in WRITES} == {(method, shape(path)) for method, path in every}


@pytest.mark.parametrize("case", WRITES, ids=ids)
def test_an_unknown_field_is_named_and_nothing_is_done(api: Api, own: dict[str, str], case: tuple[str, str]) -> None:
    method, path = case
    body = filled(WRITES[case], own) or {}
    before = everything()

    answer = api.send(method, f"/api/{filled(path, own)}", {**body, UNKNOWN: ["couple:dashboard:x"]})

    assert UNKNOWN in named(answer)
    assert everything() == before


@pytest.mark.parametrize("case", WRITES, ids=ids)
def test_a_body_that_is_no_object_is_refused(api: Api, own: dict[str, str], case: tuple[str, str]) -> None:
    method, path = case
    before = everything()

    for body in ([], [{}], "channels", 1, True):
        answer = api.generic(method, f"/api/{filled(path, own)}", json.dumps(body), content_type="application/json")

        assert answer.status_code == 422, answer.content
    assert everything() == before


@pytest.mark.parametrize("case", [*WRITES, *READS], ids=ids)
def test_an_unknown_parameter_is_named_and_nothing_is_done(
    api: Api, own: dict[str, str], case: tuple[str, str]
) -> None:
    method, path = case
    before = everything()

    answer = api.send(method, f"/api/{filled(path, own)}?drill=true&confirmed=1", filled(WRITES.get(case), own))

    if ("get", path) in LISTS and path == "incidents/":
        assert "confirmed" in answer.json()["detail"]
    else:
        assert "confirmed, drill" in answer.json()["detail"]
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/unknown-filter")
    assert everything() == before


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("incidents/", {"wedding": "{wedding}", "kind": "x", "description": "x", "Drill": True}, "Drill"),
        ("incidents/", {"wedding": "{wedding}", "kind": "x", "descripton": "x"}, "descripton"),
        ("channels/tickets/", {"chanels": ["couple:dashboard:x"]}, "chanels"),
        ("channels/tickets/", {"channels": "couple:dashboard:x"}, "channels"),
        ("channels/tickets/", {"channels": {"name": "couple:dashboard:x"}}, "channels"),
        ("channels/tickets/", {"channels": None}, "channels"),
        ("channels/tickets/", {"channels": [["couple:dashboard:x"]]}, "channels.0"),
        ("journey/", {"wedding_id": "{wedding}", "milestone": "x", "progress": 1, "note": "x"}, "note"),
        ("forms/{form}/responses/", {"answers": {"a": 1}, "answer": {"b": 1}}, "answer"),
        ("integrations/connections/{connection}/secrets/", {"overlap": 0}, "overlap"),
        ("integrations/channel-config/dry-run/", {"event": {"type": "gallery.ready", "wedding": 1}}, "event.wedding"),
        (
            "integrations/channel-config/",
            {
                "name": "x",
                "channel_pattern": "a:b:c",
                "target": "system",
                "system": "{system}",
                "conditions": [{"path": "capacity", "operater": "less", "value": 1}],
            },
            "conditions.0.operater",
        ),
    ],
)
def test_a_slip_is_named_beside_whatever_else_is_wrong(
    api: Api, own: dict[str, str], path: str, body: dict[str, Any], field: str
) -> None:
    before = everything()

    assert field in named(api.send("post", f"/api/{filled(path, own)}", filled(body, own)))
    assert everything() == before


def test_a_slip_within_a_list_is_named(api: Api, own: dict[str, str]) -> None:
    body = {"preferences": [{"category": "gallery", "channel": "email", "wanted": False, "wants": True}]}

    answer = api.send("patch", f"/api/contacts/{own['contact']}/preferences/", body)

    assert named(answer) == {"preferences.0.wants"}


def test_names_of_unknown_fields_are_told_within_bounds(api: Api, own: dict[str, str]) -> None:
    body = {f"{number:04}" + "x" * 200: 1 for number in range(500)}

    answer = api.send("post", "/api/channels/tickets/", body)

    assert len(named(answer)) == 20
    assert len(answer.content) < 6_000


@pytest.mark.parametrize("case", ROWS, ids=ids)
def test_what_was_read_can_be_sent_back(api: Api, own: dict[str, str], case: tuple[str, str]) -> None:
    url = f"/api/{filled(case[1], own)}"
    shown = api.get(url).json()

    answer = api.send("patch", url, shown)

    assert answer.status_code == 200, answer.content
    assert answer.json() == shown


@pytest.mark.parametrize("case", [case for case in ROWS if "contacts" not in case[1]], ids=ids)
def test_a_field_that_is_only_shown_cannot_be_changed(api: Api, own: dict[str, str], case: tuple[str, str]) -> None:
    url = f"/api/{filled(case[1], own)}"
    shown = api.get(url).json()
    before = everything()

    assert named(api.send("patch", url, {**shown, "id": own["delivery"]})) == {"id"}
    assert everything() == before


def test_a_time_that_is_not_known_can_be_sent_back_and_not_made_unknown(api: Api, ours: Organization) -> None:
    wedding = WeddingFactory(organization=ours, ceremony_time=None, reception_time="18:00")

    url = f"/api/weddings/{wedding.id}/"

    assert api.send("patch", url, {"ceremony_time": None}).status_code == 200
    assert named(api.send("patch", url, {"reception_time": None})) == {"reception_time"}


@pytest.mark.parametrize("case", LISTS, ids=ids)
def test_an_empty_filter_is_no_filter_for_all(
    api: Api, own: dict[str, str], described: Any, case: tuple[str, str]
) -> None:
    parameters = [each["name"] for each in described["paths"][f"/api/{case[1]}"]["get"]["parameters"]]

    for name, value in [*((name, "") for name in parameters), (parameters[-1], " "), (parameters[-1], "%09")]:
        answer = api.get(f"/api/{case[1]}?{name}={value}")

        assert answer.status_code == (400 if name in {"cursor", "limit"} else 422), name
        assert name in answer.json()["detail"]


@pytest.mark.parametrize("empty", ["", " ", None, [], [""]])
@pytest.mark.parametrize("verb", ["resend", "cancel"])
def test_an_empty_filter_for_many_is_no_filter_for_all(api: Api, own: dict[str, str], verb: str, empty: object) -> None:
    answer = api.send("post", f"deliveries/{verb}/", {"filter": {"system": empty}})

    assert "system" in named(answer)


@pytest.mark.parametrize("case", [case for case in WRITES if WRITES[case] is None and case[0] == "post"], ids=ids)
def test_a_form_where_no_body_is_taken_is_refused_only_when_it_says_something(
    api: Api, own: dict[str, str], case: tuple[str, str]
) -> None:
    url = f"/api/{filled(case[1], own)}"

    assert named(api.post(url, {UNKNOWN: "1"})) == {UNKNOWN}
    assert api.post(url, "drill=1", content_type="text/plain").status_code == 415
    assert api.post(url).status_code in {200, 201, 409}


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("incidents/", "drill=true&drill=false", 422),
        ("integrations/deliveries/", "system={system}&system={delivery}", 422),
        ("integrations/events/", "limit=1&limit=2", 400),
        ("integrations/deliveries/", "state=dead&state=held", 200),
    ],
)
def test_a_second_value_is_refused_where_one_is_taken(
    api: Api, own: dict[str, str], path: str, query: str, status: int
) -> None:
    answer = api.get(f"/api/{path}?{query.format(**own)}")

    assert answer.status_code == status
    assert ("may be given only once" in answer.content.decode()) == (status != 200)
