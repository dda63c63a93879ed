"""Nothing of another organization is seen, named, changed or guessed, at any endpoint that there is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver

from tests.factories import (
    AttemptFactory,
    ConnectionFactory,
    ContactFactory,
    DeliveryFactory,
    EntryFactory,
    EventFactory,
    ExternalReferenceFactory,
    FormFactory,
    IncidentFactory,
    NotificationFactory,
    OrganizationFactory,
    ReasonFactory,
    RouteFactory,
    SystemFactory,
    WeddingFactory,
)
from tests.wedsync.api.conftest import Api
from wedsync.live.models import Ticket
from wedsync.weddings.models import ApiKey, Organization

pytestmark = pytest.mark.django_db
MARK = "Zsazsa"
NOT_YOURS = "does not belong to your organization"

# Method and path to a body with ids of theirs; None: without a body.
BY_ID: dict[tuple[str, str], Any] = {
    ("get", "weddings/{wedding}/"): None,
    ("patch", "weddings/{wedding}/"): {"guest_count": 1},
    ("post", "forms/{form}/responses/"): {"answers": {"a": 1}},
    ("get", "notifications/{notification}/"): None,
    ("get", "incidents/{incident}/"): None,
    ("post", "incidents/{incident}/acknowledge/"): None,
    ("post", "incidents/{incident}/resolve/"): None,
    ("get", "contacts/{contact}/preferences/"): None,
    ("patch", "contacts/{contact}/preferences/"): {
        "preferences": [{"category": "gallery", "channel": "email", "wanted": False}]
    },
    **{
        (method, f"integrations/{name}/{{{row}}}/"): {"name": "ours"} if method == "patch" else None
        for name, row, methods in [
            ("channel-config", "route", ("get", "patch", "delete")),
            ("systems", "system", ("get", "patch", "delete")),
            ("connections", "connection", ("get", "patch")),
            ("references", "reference", ("get", "patch", "delete")),
            ("events", "event", ("get",)),
            ("deliveries", "delivery", ("get",)),
        ]
        for method in methods
    },
    **{
        ("post", f"integrations/{name}/{{{row}}}/{verb}/"): None
        for name, row, verbs in [
            ("systems", "system", ("pause", "resume", "disable")),
            ("connections", "connection", ("pause", "resume", "disable")),
            ("deliveries", "delivery", ("resend", "cancel", "try-now")),
        ]
        for verb in verbs
    },
    ("get", "integrations/connections/{connection}/secrets/"): None,
    ("post", "integrations/connections/{connection}/secrets/"): {},
    ("delete", "integrations/connections/{connection}/secrets/"): None,
}
IN_BODY: dict[tuple[str, str], dict[str, Any]] = {
    ("post", "channels/{name}/events/"): {"type": "custom.note"},
    ("post", "channels/{name}/seen/"): {"contact": "{contact}", "sequence": 1},
    ("post", "journey/"): {"wedding_id": "{wedding}", "milestone": "x", "progress": 1},
    ("post", "incidents/"): {"wedding": "{wedding}", "kind": "x", "description": "x"},
    ("post", "integrations/connections/"): {"system": "{system}"},
    ("post", "integrations/references/"): {"system": "{own_system}", "external_id": "x", "wedding": "{wedding}"},
    ("post", "integrations/channel-config/dry-run/"): {"event_id": "{event}"},
    ("post", "integrations/channel-config/"): {
        "name": "x", "channel_pattern": "a:b:c", "target": "system", "system": "{system}",
    },
}  # fmt: skip
LISTS: dict[tuple[str, str], list[dict[str, str]]] = {
    ("get", "integrations/channel-config/"): [{}, {"q": MARK}, {"system": "{system}"}, {"contact": "{contact}"}],
    ("get", "integrations/systems/"): [{}, {"q": MARK}],
    ("get", "integrations/connections/"): [{}, {"system": "{system}"}],
    ("get", "integrations/references/"): [{}, {"wedding": "{wedding}"}, {"external_id": MARK}],
    ("get", "integrations/events/"): [{}, {"wedding": "{wedding}"}],
    ("get", "integrations/deliveries/"): [{}, {"event": "{event}"}, {"q": MARK}, {"route": "{route}"}],
    ("get", "integrations/attempts/"): [{}, {"delivery": "{delivery}"}],
    ("get", "incidents/"): [{}, {"wedding": "{wedding}"}, {"event": "{event}"}, {"q": MARK}],
    ("get", "notifications/"): [
        {},
        {"event": "{event}"},
        {"wedding": "{wedding}"},
        {"contact": "{contact}"},
        {"q": MARK},
    ],
}
# Without any id of a row: they make something of the caller's own, or count what is the caller's.
WITHOUT_IDS = {
    ("post", "channels/tickets/"),
    ("get", "channels/{name}/presence/"),
    ("get", "integrations/health/"),
    ("post", "integrations/systems/"),
    ("post", "integrations/deliveries/resend/"),
    ("post", "integrations/deliveries/cancel/"),
}
OPEN = {"schema/", "docs/", "asyncapi/"}
ids = " ".join


@pytest.fixture
def theirs() -> dict[str, str]:
    """One of everything, of another organization."""
    organization = OrganizationFactory()
    mine: Any = {"organization": organization}
    wedding = WeddingFactory(**mine, couple=MARK)
    system = SystemFactory(**mine, name=MARK)
    event = EventFactory(**mine, wedding=wedding, payload={"note": MARK})
    delivery = DeliveryFactory(**mine, event=event, system=system, state="dead")
    EntryFactory(organization=organization, event=event)
    AttemptFactory(delivery=delivery, error=MARK)
    route = RouteFactory(**mine, name=MARK, system=system)
    ReasonFactory(delivery=delivery, route=route)
    contact = ContactFactory(**mine, wedding=wedding, name=MARK)
    notification = NotificationFactory(**mine, event=event, contact=contact, name=MARK)
    rows = {
        "notification": notification,
        "incident": IncidentFactory(**mine, event=event, wedding=wedding, description=MARK),
        "wedding": wedding,
        "form": FormFactory(**mine, wedding=wedding),
        "contact": contact,
        "system": system,
        "connection": ConnectionFactory(**mine, system=system, secret=MARK),
        "reference": ExternalReferenceFactory(**mine, system=system, wedding=wedding, external_id=MARK),
        "route": route,
        "event": event,
        "delivery": delivery,
    }
    return {name: str(row.pk) for name, row in rows.items()} | {"name": f"couple:dashboard:{wedding.pk}"}


def filled(template: Any, values: dict[str, str]) -> Any:
    text = json.dumps(template)
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return json.loads(text)


def unknown(theirs: dict[str, str]) -> dict[str, str]:
    """Ids that nobody has."""
    special = {"connection": "wsc_nobody", "name": f"couple:dashboard:{uuid4()}"}
    return {name: special.get(name) or str(uuid4()) for name in theirs}


def everything() -> dict[str, list[Any]]:
    """Every row there is, but what belongs to the request itself."""
    models = [model for model in apps.get_models() if model not in {ApiKey, Ticket}]
    return {model._meta.label: list(model._default_manager.order_by("pk").values()) for model in models}


def endpoints() -> Iterator[tuple[str, str]]:
    """Every method and path below ``/api/`` in the URL configuration; converters as their names."""

    def walk(entries: Any, before: str) -> Iterator[tuple[str, Any]]:
        for entry in entries:
            path = before + str(entry.pattern)
            if isinstance(entry, URLResolver):
                yield from walk(entry.url_patterns, path)
            elif isinstance(entry, URLPattern):
                yield path, entry.callback

    for path, view in walk(get_resolver().url_patterns, ""):
        if not path.startswith("api/") or path.removeprefix("api/") in OPEN:
            continue
        known = getattr(view, "actions", None) or {name: name for name in ("get", "post", "put", "patch", "delete")}
        allowed = set(view.cls.http_method_names)
        for method in known:
            if method in allowed - {"head"} and (hasattr(view, "actions") or hasattr(view.cls, method)):
                yield method, path.removeprefix("api/")


def shape(path: str) -> str:
    """A path with a star for whatever varies."""
    return "/".join("*" if part[:1] in {"<", "{"} else part for part in path.split("/"))


def test_every_endpoint_is_tried_here() -> None:
    there = {(method, shape(path)) for method, path in endpoints()}
    tried = {(method, shape(path)) for method, path in [*BY_ID, *IN_BODY, *LISTS, *WITHOUT_IDS]}

    assert there == tried
    assert len(there) > 30


@pytest.mark.parametrize("case", BY_ID, ids=ids)
def test_their_ids_in_a_path_are_as_unknown_as_any(api: Api, theirs: dict[str, str], case: tuple[str, str]) -> None:
    method, path = case
    before = everything()

    answer, none = (
        api.send(method, f"/api/{filled(path, values)}", BY_ID[case]) for values in (theirs, unknown(theirs))
    )

    assert (answer.status_code, none.status_code) == (404, 404)
    assert answer.content == none.content
    assert everything() == before


@pytest.mark.parametrize("case", IN_BODY, ids=ids)
def test_their_ids_in_a_body_are_as_unknown_as_any(
    api: Api, ours: Organization, theirs: dict[str, str], case: tuple[str, str]
) -> None:
    method, path = case
    own = {"own_system": str(SystemFactory(organization=ours).id)}
    before = everything()

    answer, none = (
        api.send(method, f"/api/{filled(path, values)}", filled(IN_BODY[case], own | values))
        for values in (theirs, unknown(theirs))
    )

    assert (answer.status_code, none.status_code) == (422, 422), answer.content
    assert answer.content == none.content
    assert everything() == before


@pytest.mark.parametrize(("field", "row"), [("wedding_id", "wedding"), ("source_system", "system")])
def test_their_ids_in_an_event_to_try_are_as_unknown_as_any(
    api: Api, theirs: dict[str, str], field: str, row: str
) -> None:
    for value in (theirs[row], unknown(theirs)[row]):
        answer = api.send("post", "channel-config/dry-run/", {"event": {"type": "gallery.ready", field: value}})

        assert answer.status_code == 422
        assert answer.json()["errors"] == [{"field": f"event.{field}", "reason": NOT_YOURS}]


@pytest.mark.parametrize("field", ["system", "contact"])
def test_their_ids_in_a_change_are_as_unknown_as_any(
    api: Api, ours: Organization, theirs: dict[str, str], field: str
) -> None:
    route = RouteFactory(organization=ours)

    answers = [
        api.send("patch", f"channel-config/{route.id}/", {field: value})
        for value in (theirs[field], unknown(theirs)[field])
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert [answer.json()["errors"] for answer in answers] == [[{"field": field, "reason": NOT_YOURS}]] * 2


@pytest.mark.parametrize("case", LISTS, ids=ids)
def test_lists_and_their_filters_show_nothing_of_others(
    api: Api, theirs: dict[str, str], case: tuple[str, str]
) -> None:
    for query in LISTS[case]:
        answer = api.get(f"/api/{case[1]}", filled(query, theirs))

        assert answer.json() == {"results": [], "next": None, "previous": None}


def test_the_health_of_others_is_not_shown(api: Api, theirs: dict[str, str]) -> None:
    answer = api.get("/api/integrations/health/")

    assert answer.json()["systems"] == []
    assert MARK not in answer.content.decode()


@pytest.mark.parametrize("verb", ["resend", "cancel"])
def test_their_deliveries_are_not_even_counted(api: Api, theirs: dict[str, str], verb: str) -> None:
    before = everything()

    for wanted in ({}, {"system": theirs["system"]}, {"event": theirs["event"]}):
        counted = api.send("post", f"deliveries/{verb}/", {"filter": wanted})
        assert counted.json() == {"count": 0, "confirm": 0}
        assert api.send("post", f"deliveries/{verb}/", {"filter": wanted, "confirm": 1}).status_code == 409

    assert everything() == before


def test_no_new_row_can_be_put_into_another_organization(api: Api, ours: Organization, theirs: dict[str, str]) -> None:
    other = OrganizationFactory()
    body = {"name": "x", "kind": "webhook", "base_url": "https://a.example", "organization": str(other.id)}

    assert api.send("post", "systems/", body).status_code == 422
    body.pop("organization")
    made = api.send("post", "systems/", body)

    assert made.status_code == 201
    assert ours.systems.filter(id=made.json()["id"]).exists()
