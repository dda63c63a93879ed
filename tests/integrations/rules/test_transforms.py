"""Mappings and templates: what they make, and what they cannot do."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from integrations.errors import OurFault
from integrations.models import Delivery, Route, System
from integrations.rules import transforms
from integrations.rules.transforms import CannotTransform
from integrations.system_channel.sender import SystemSender
from notifications.channels.email.channel import Email
from tests.factories import (
    ContactFactory,
    DeliveryFactory,
    EventFactory,
    ExternalReferenceFactory,
    RouteFactory,
    SystemFactory,
    WeddingFactory,
)
from wedsync.templating.filters import CannotRender
from wedsync.templating.language import MOST_ROUNDS, render

FACTS: dict[str, Any] = {
    "payload": {"reason": 'a "south" \\ wing\n', "n": 120, "changes": [{"field": "x", "after": 1}, {"field": "y"}]},
    "event": {"type": "guest_count.changed"},
    "wedding": None,
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{"a": "{{ payload.reason }}"}', {"a": 'a "south" \\ wing\n'}),
        ('{"a": {{ payload.reason|tojson }}}', {"a": 'a "south" \\ wing\n'}),
        ('{"n": {{ payload.n + 5 }}, "big": {{ (payload.n > 100)|tojson }}}', {"n": 125, "big": True}),
        ('{"c": {{ payload.changes|tojson }}}', {"c": [{"field": "x", "after": 1}, {"field": "y"}]}),
        ('[{% for c in payload.changes %}"{{ c.field }}"{{ "," if not loop.last }}{% endfor %}]', ["x", "y"]),
        ('{"f": {{ payload.changes|map(attribute="field")|list|tojson }}}', {"f": ["x", "y"]}),
        ('{"a": "{{ payload.missing }}", "b": {{ payload.missing.deeper|tojson }}}', {"a": "", "b": None}),
        ('{"a": "{{ payload.missing|default("none") }}{{ "x" ~ payload.n }}"}', {"a": "nonex120"}),
        ('{% set half = payload.n // 2 %}{"half": {{ half }}}', {"half": 60}),
    ],
)  # fmt: skip
def test_a_template_makes_json_whatever_the_payload_says(template: str, expected: Any) -> None:
    assert json.loads(render(template, FACTS)) == expected


@pytest.mark.parametrize(
    "template",
    [
        "{{ payload.__class__ }}",
        "{{ payload|attr('__class__') }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ payload.reason.upper() }}",
        "{{ ''.join(payload.changes) }}",
        "{{ namespace() }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{% for a in payload.changes recursive %}{{ loop(a) }}{% endfor %}",
        "{{ self }}",
        "{% for a in [1] %}{{ loop }}{% endfor %}",
        "{{ 10 ** 10 }}",
        "{{ 'a' * 1000000000 }}",
        "{{ [1] * 1000000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ 999999999999 * 999999999999 }}",
        "{{ range(1000000) }}",
        "{{ 1.5|round(1000000000) }}",
        "{{ 'x'|center(1000000000) }}",
        "{{ 'x'|replace('', 'y') }}",
        "{{ joined__ }}{{ 1|joined__ }}",
        "{{ " + "[" * 150 + "]" * 150 + " }}",
        "{{ " + "(" * 2000,
        "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
        "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a + a %}" * 40 + "{{ a }}",
        "{% set a = [1] %}" + "{% set a = [a, a] %}" * 40 + "{{ a|tojson }}",
        "{% set a = {'x': 1} %}" + "{% set a = {'x': a, 'y': a} %}" * 40 + "{{ a == a }}",
        "{% for a in range(4000) %}{% for b in range(4000) %}{% endfor %}{% endfor %}",
        "{% for a in range(4000) %}{{ payload.changes|tojson }}{% endfor %}",
        "{% for a in range(4000) %}{% set x = range(5000)|sort %}{% endfor %}",
        "x" * 10_001,
    ],
)
def test_a_template_finds_no_way_out_and_takes_neither_long_nor_much(template: str) -> None:
    with pytest.raises(CannotRender):
        render(template, FACTS)


@pytest.mark.parametrize("name", ["__class__", "items", "keys", "get"])
def test_a_field_is_a_field_and_never_an_attribute_of_python(name: str) -> None:
    assert render(f'{{{{ payload["{name}"] }}}}', FACTS) == ""
    assert render("{{ payload.items }}", {**FACTS, "payload": {"items": 3}}) == "3"


def test_loops_share_one_budget_of_rounds() -> None:
    inside = "{% for a in range(" + str(MOST_ROUNDS) + ") %}{% endfor %}"

    assert render(inside, FACTS) == ""
    with pytest.raises(CannotRender, match="rounds"):
        render(inside + "{% for a in [1] %}{% endfor %}", FACTS)


def route(**fields: Any) -> Route:
    built: Route = RouteFactory.build(system=SystemFactory.build(), event_types=["guest_count.changed"])
    for name, value in fields.items():
        setattr(built, name, value)
    return built


@pytest.mark.parametrize(
    "fields",
    [
        {"template": '{"a": {{ payload.guest_count }'},
        {"template": '{"a": {{ payload.guest_cuont }}}'},
        {"template": '{"a": "{{ payload.guest_count.__class__ }}"}'},
        {"template": '{"a": {{ payload.previous + 1 }}}'},  # optional
        {"template": "guests: {{ payload.guest_count }}"},
        {"template": '["a list"]'},
        {"template": '{"a": "\\u0000"}'},
        {"template": '{"a": {{ payload.guest_count }}}', "event_types": ["guest_count.changed", "client.updated"]},
        {"template": '{"a": 1}', "target": "people", "roles": ["couple"], "system": None},
        {"template": '{"headline": 5}', "target": "people", "roles": ["couple"], "system": None},
        {"template": '{"a": 1}', "target": "live", "live_channel": "wall:display:{supplierId}", "system": None},
    ],
)
def test_a_template_that_could_break_is_refused_at_its_field(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as raised:
        route(**fields).clean()
    assert set(raised.value.message_dict) == {"template"}


@pytest.mark.parametrize(
    "mapping",
    [
        ["a"],
        {"": "guest_count"},
        {"guests": 5},
        {"guests": {"constant": 5}},
        {"guests": "guest count"},
        {"guests": "guest_cuont"},
        {"guests": "guest_count", "guests.expected": "previous"},
        {f"field{number}": "guest_count" for number in range(101)},
    ],
)
def test_a_mapping_that_could_never_be_filled_is_refused_at_its_field(mapping: Any) -> None:
    with pytest.raises(ValidationError) as raised:
        route(mapping=mapping).clean()
    assert set(raised.value.message_dict) == {"mapping"}


def test_a_mapping_and_a_template_together_are_refused() -> None:
    with pytest.raises(ValidationError):
        route(mapping={"a": "guest_count"}, template='{"a": 1}').clean()


@pytest.mark.parametrize(
    "fields",
    [
        {"mapping": {"guests.expected": "guest_count", "hall": "extra.hall", "source": {"const": "wedsync"}}},
        {"template": '{"guests": {{ payload.guest_count }}, "hall": {{ payload.extra.hall|tojson }}}'},
        {"template": '{"before": {{ (payload.previous or 0) + 1 }}}'},
        {"template": '{"type": "{{ event.type }}", "couple": "{{ wedding.couple }}"}', "event_types": []},
        {"mapping": {"headline": "event.type"}, "target": "people", "roles": ["couple"], "system": None},
    ],
)
def test_what_is_right_is_taken(fields: dict[str, Any]) -> None:
    route(**fields).clean()


def test_a_mapping_leaves_out_what_the_event_has_not() -> None:
    mapped = route(
        mapping={
            "guests.expected": "guest_count",
            "guests.before": "previous",
            "hall": "extra.hall",
            "tags": "extra.tags.*.name",
            "source": {"const": {"by": "wedsync"}},
        }
    )
    event = EventFactory.build(
        wedding=None,
        type="guest_count.changed",
        payload={"guest_count": 120, "extra": {"tags": [{"name": "a"}, {"name": "b"}]}},
    )
    event.received_at = event.occurred_at

    assert transforms.apply(mapped.transform, event) == {
        "guests": {"expected": 120},
        "tags": ["a", "b"],
        "source": {"by": "wedsync"},
    }


def shaped_delivery(shaping: dict[str, Any]) -> Delivery:
    wedding = WeddingFactory(date=date(2030, 6, 19))
    reference = ExternalReferenceFactory(organization=wedding.organization, wedding=wedding)
    event = EventFactory(
        organization=wedding.organization,
        wedding=wedding,
        type="guest_count.changed",
        payload={"guest_count": 120, "extra": {"hall": 'so"uth'}},
    )
    shaping_route = RouteFactory(organization=wedding.organization, system=reference.system, **shaping)
    made: Delivery = DeliveryFactory(
        organization=wedding.organization, event=event, system=reference.system, shaped_by=shaping_route
    )
    return made


@pytest.mark.django_db
def test_a_system_gets_what_the_route_makes_in_an_envelope_that_stays() -> None:
    delivery = shaped_delivery({"template": '{"pax": {{ payload.guest_count }}, "hall": "{{ payload.extra.hall }}"}'})

    body = json.loads(SystemSender().render(delivery).body)

    assert body == {
        "id": str(delivery.event_id),
        "type": "guest_count.changed",
        "occurred_at": delivery.event.occurred_at.isoformat(),
        "sequence": None,
        "payload": {"pax": 120, "hall": 'so"uth'},
    }


@pytest.mark.django_db
def test_a_transform_that_breaks_on_an_event_is_our_own_fault() -> None:
    delivery = shaped_delivery({"template": '{"pax": {{ payload.extra.hall + 1 }}}'})

    with pytest.raises(OurFault, match="transform of the route"):
        SystemSender().render(delivery)


@pytest.mark.django_db
def test_the_words_of_a_route_stand_in_a_message_and_are_escaped_there() -> None:
    delivery = shaped_delivery({})
    person = ContactFactory(organization=delivery.organization, wedding=delivery.event.wedding, role="couple")
    delivery.contact, delivery.channel, delivery.target = person, "email", person.email
    delivery.system = SystemFactory(
        organization=delivery.organization,
        kind=System.Kind.EMAIL,
        credentials={"from": "Lakeside <hello@lakeside.example>", "api_key": "re_1"},
    )
    delivery.shaped_by = RouteFactory(
        organization=delivery.organization,
        target=Route.Target.PEOPLE,
        system=None,
        roles=["couple"],
        template='{"headline": "Now {{ payload.guest_count }}", "text": "Hall: <b>{{ payload.extra.hall }}</b>"}',
    )

    preview = Email().preview(delivery)

    body = json.loads(preview.request.body)
    assert body["subject"] == "Now 120"
    assert 'Hall: <b>so"uth</b>' in preview.text
    assert "<b>so" not in body["html"]
    assert "&lt;b&gt;so" in body["html"]


def test_a_message_of_something_else_than_words_is_refused() -> None:
    shaping = route(target="people", template='{"headline": "x", "html": "y"}')
    event = EventFactory.build(wedding=None, type="guest_count.changed", payload={"guest_count": 120})
    event.received_at = event.occurred_at

    with pytest.raises(CannotTransform):
        transforms.apply(shaping.transform, event)
