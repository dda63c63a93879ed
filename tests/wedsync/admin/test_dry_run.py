"""The pages of routes: conditions, and the dry run, which ends at the organization's border."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations.admin.route_forms import read, written
from integrations.models import Delivery, Route, RouteCondition
from tests.factories import ConditionFactory, EntryFactory
from tests.wedsync.admin.conftest import House, Role
from wedsync.live.models import Channel, ChannelEvent
from wedsync.weddings.models import Wedding

SignIn = Callable[..., Client]
PAGE = "/admin/integrations/route/dry-run/"


def change_page(route: Route) -> str:
    return reverse("admin:integrations_route_change", args=[route.pk])


def posted(route: Route, *conditions: dict[str, Any], **fields: Any) -> dict[str, Any]:
    data = {
        "name": route.name, "active": "on", "channel_pattern": "supplier:dashboard:*", "target": "system",
        "system": str(route.system_id), "conditions-TOTAL_FORMS": len(conditions), "conditions-INITIAL_FORMS": 0,
    }  # fmt: skip
    for number, condition in enumerate(conditions):
        data |= {f"conditions-{number}-{name}": value for name, value in condition.items()}
    return data | fields


def test_staff_try_a_stored_event_and_see_routes_and_calls(ours: House, sign_in: SignIn) -> None:
    event, route = ours.rows[ChannelEvent], ours.rows[Route]
    channel = Channel.objects.create(organization=ours.organization, name="supplier:dashboard:1")
    EntryFactory(channel=channel, event=event)
    before = Delivery.objects.count()

    text = sign_in(ours, role=Role.PLANNER).get(PAGE, {"event": str(event.pk)}).content.decode()

    assert route.name in text
    assert "matches supplier:dashboard:1" in text
    assert Delivery.objects.count() == before


def test_staff_try_a_pasted_event(ours: House, sign_in: SignIn) -> None:
    wedding = ours.rows[Wedding]
    data = {"type": "guest_count.changed", "payload": json.dumps({"guest_count": 90}), "wedding": str(wedding.pk)}

    answer = sign_in(ours).post(PAGE, data)

    assert answer.context["found"].channels == tuple(
        sorted([f"couple:dashboard:{wedding.pk}", f"supplier:dashboard:{ours.rows[Route].system_id}"])
    )
    assert ours.rows[Route].name in answer.content.decode()


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "event"),
        ({"event": "no id"}, "event"),
        ({"type": "guest_count.changed", "payload": "{"}, "payload"),
        ({"type": "guest_count.changed", "payload": "[]"}, "payload"),
        ({"type": "guest_count.changed", "payload": "{}"}, "payload"),
        ({"type": "nothing.known", "payload": "{}"}, "type"),
    ],
)
def test_what_can_not_be_tried_is_refused_at_its_field(
    ours: House, sign_in: SignIn, data: dict[str, str], field: str
) -> None:
    answer = sign_in(ours).post(PAGE, data)

    assert set(answer.context["form"].errors) == {field}
    assert answer.context["found"] is None


def test_a_foreign_event_is_not_there_and_foreign_rows_are_no_choice(
    ours: House, theirs: House, sign_in: SignIn
) -> None:
    client = sign_in(ours)
    pasted = {"type": "guest_count.changed", "payload": '{"guest_count": 1}'}

    for data, field in (
        ({"event": str(theirs.rows[ChannelEvent].pk)}, "event"),
        ({**pasted, "wedding": str(theirs.rows[Wedding].pk)}, "wedding"),
        ({**pasted, "system": str(theirs.rows[Route].system_id)}, "system"),
    ):
        answer = client.post(PAGE, data)
        assert set(answer.context["form"].errors) == {field}
        assert theirs.mark not in answer.content.decode()
    assert theirs.mark not in client.get(PAGE).content.decode()


def test_a_member_of_two_houses_chooses_one_and_sees_only_its_routes(
    ours: House, theirs: House, sign_in: SignIn
) -> None:
    client = sign_in(ours, theirs)
    pasted = {"type": "guest_count.changed", "payload": '{"guest_count": 1}'}

    assert set(client.post(PAGE, pasted).context["form"].errors) == {"organization"}
    text = client.post(PAGE, {**pasted, "organization": str(ours.organization.pk)}).context["found"].as_json()
    assert [each["name"] for each in text["routes"]] == [ours.rows[Route].name]
    crossed = {**pasted, "wedding": str(ours.rows[Wedding].pk), "system": str(theirs.rows[Route].system_id)}
    assert set(client.post(PAGE, crossed).context["form"].errors) == {"system"}


def test_nobody_without_a_house_gets_in(sign_in: SignIn, db: None) -> None:
    assert sign_in().get(PAGE).status_code == 403
    assert Client().get(PAGE).status_code == 302


def test_an_event_s_page_leads_to_its_dry_run(ours: House, theirs: House, sign_in: SignIn) -> None:
    client, event = sign_in(ours), ours.rows[ChannelEvent]
    path = "/admin/live/channelevent/{}/dry-run/"

    assert client.get(path.format(event.pk)).headers["Location"] == f"{PAGE}?event={event.pk}"
    assert client.get(path.format(theirs.rows[ChannelEvent].pk)).status_code == 404


def test_conditions_are_typed_without_quotes_and_checked(ours: House, sign_in: SignIn) -> None:
    client, route = sign_in(ours, role=Role.SUPPORT), ours.rows[Route]
    south = {"path": "extra.hall", "operator": "in", "value": "south, north", "effect": "require"}
    wrong = {"path": "extra.hall", "operator": "matches", "value": "(", "effect": "exclude"}

    refused = client.post(change_page(route), posted(route, wrong))
    (errors,) = refused.context["inline_admin_formsets"][0].formset.errors
    assert set(errors) == {"value"}
    assert "not a valid RE2 pattern" in errors["value"][0]
    taken = client.post(
        change_page(route), posted(route, south, type_patterns="guest_count.*, *.cancelled", priority="high")
    )

    assert taken.status_code == 302
    assert list(route.conditions.values_list("path", "operator", "value", "effect")) == [
        ("extra.hall", "in", ["south", "north"], "require")
    ]
    route.refresh_from_db()
    assert (route.event_types, route.priority) == (["guest_count.*", "*.cancelled"], "high")
    shown = client.get(change_page(route)).content.decode()
    assert "guest_count.*, *.cancelled" in shown


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"type_patterns": "bookings.*"}, "type_patterns"),
        ({"mapping": '{"a": "no.such.field"}'}, "mapping"),
        ({"mapping": "{"}, "mapping"),
        ({"template": "{{ payload.__class__ }}"}, "template"),
        ({"priority": "urgent"}, "priority"),
    ],
)
def test_what_is_wrong_with_a_route_stands_at_its_field(
    ours: House, sign_in: SignIn, fields: dict[str, str], field: str
) -> None:
    route = ours.rows[Route]

    answer = sign_in(ours, role=Role.SUPPORT).post(change_page(route), posted(route, **fields))

    assert set(answer.context["adminform"].form.errors) == {field}


def test_conditions_of_a_foreign_route_can_not_be_changed_through_one_s_own(
    ours: House, theirs: House, sign_in: SignIn
) -> None:
    client, route = sign_in(ours, role=Role.SUPPORT), ours.rows[Route]
    foreign = ConditionFactory(route=theirs.rows[Route], path="extra.hall")
    stolen = {"id": str(foreign.pk), "route": str(route.pk), "path": "x", "operator": "exists", "effect": "require"}

    client.post(change_page(route), {**posted(route, stolen), "conditions-INITIAL_FORMS": 1})

    unchanged = RouteCondition.objects.get(pk=foreign.pk)
    assert (unchanged.path, unchanged.route_id) == ("extra.hall", theirs.rows[Route].pk)


@pytest.mark.parametrize(
    ("typed", "operator", "value"),
    [
        ("south", "equals", "south"),
        ("120", "equals", 120),
        ('"120"', "equals", "120"),
        ("2027-06-20", "greater", "2027-06-20"),
        ("true", "equals", True),
        ("null", "equals", None),
        ("120", "starts_with", "120"),
        ("^[0-9]+$", "matches", "^[0-9]+$"),
        ("north", "in", ["north"]),
        ('["a, b", 7]', "in", ["a, b", 7]),
        ("false", "exists", False),
    ],
)
def test_a_value_reads_as_its_operator_needs_it_and_is_shown_as_it_reads(typed: str, operator: str, value: Any) -> None:
    assert read(typed, operator) == value
    assert read(written(value, operator), operator) == value
