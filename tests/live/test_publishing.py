"""What a client publishes takes the whole way of a webhook: log, sockets, routing, deliveries, trace."""

from __future__ import annotations

from html import escape
from typing import Any

import pytest
import requests
from django.contrib.auth.hashers import make_password

from integrations.models import Delivery, Route, System
from tests.factories import MembershipFactory, MessageTemplateFactory, RouteFactory, SystemFactory
from tests.live.socket_client import ask, couple, receive, sign_in, socket, witness
from tests.live.world import World
from tests.polling import until
from wedsync.live.models import ChannelEvent

TYPE = "custom.menu_chosen"


def publish(world: World, **event: Any) -> requests.Response:
    url = f"{world.product.base_url}/api/channels/{couple(world)}/events/"
    body = {"type": TYPE, "payload": {"menu": "veal"}, **event}
    return requests.post(url, json=body, headers=world.headers, timeout=10)


def test_an_event_of_ones_own_reaches_sockets_webhooks_and_people(world: World) -> None:
    receiver = f"menus-{world.wedding.id}"
    webhook = SystemFactory(
        organization=world.organization,
        kind=System.Kind.WEBHOOK,
        base_url=f"{world.product.sandbox_url}/webhook/{receiver}",
        credentials={"signing_secret": "whsec_bWVudXMgb2YgdGhlIGtpdGNoZW4gYXJlIHNlY3JldA=="},
    )
    ours: Any = {"organization": world.organization, "channel_pattern": "couple:*:*", "event_types": ["custom.*"]}
    RouteFactory(**ours, system=webhook)
    RouteFactory(**ours, target=Route.Target.PEOPLE, system=None, roles=["couple"], channels=["email"])
    text = "The menu of {{ wedding.couple }} is {{ payload.menu }}"
    MessageTemplateFactory(organization=world.organization, event_type=TYPE, text=text)

    with witness(world) as listening:
        answer = publish(world)
        frame = receive(listening)

    assert answer.status_code == 201
    assert (frame["sequence"], frame["event"]["id"]) == (answer.json()["sequence"], answer.json()["id"])
    assert frame["event"]["payload"]["menu"] == "veal"
    (mail,) = until(lambda: world.product.messages("resend", world.people["couple"].email))
    assert f"The menu of {escape(world.wedding.couple)} is veal" in mail["html"]
    (call,) = until(lambda: [each for each in world.product.messages("webhook") if receiver in str(each)])
    assert "veal" in str(call["body"])
    until(lambda: ChannelEvent.objects.get(id=answer.json()["id"]).effect == "none")


def test_without_a_template_no_person_is_told(world: World) -> None:
    RouteFactory(
        organization=world.organization,
        channel_pattern="couple:*:*",
        event_types=[TYPE],
        target=Route.Target.PEOPLE,
        system=None,
        roles=["couple"],
        channels=["email"],
    )

    event_id = publish(world).json()["id"]

    delivery = until(lambda: Delivery.objects.filter(event_id=event_id).first())
    assert (delivery.state, delivery.state_reason) == ("skipped", "no_template")
    assert not world.product.messages("resend", world.people["couple"].email)


def test_a_type_of_the_catalogue_changes_the_wedding_like_a_webhook(world: World) -> None:
    publish(world, type="venue.capacity_updated", payload={"capacity": 133})

    (message,) = until(lambda: world.product.messages("whatsapp", world.people["couple"].phone))
    assert "150 → 133" in message["text"]
    world.wedding.refresh_from_db()
    assert world.wedding.capacity == 133


def test_a_socket_publishes_and_is_told_the_number(world: World) -> None:
    with socket(world) as client, witness(world) as listening:
        told = ask(client, op="publish", channel=couple(world), type=TYPE, payload={"menu": "veal"})
        frame = receive(listening)

    assert told == {"id": 1, "ok": True, "event": frame["event"]["id"], "sequence": frame["sequence"]}
    assert ChannelEvent.objects.get(id=told["event"]).author == "API key “tests”"


@pytest.mark.parametrize(
    ("request_", "code", "said"),
    [
        ({"channel": "ops:health:1", "type": TYPE}, "forbidden", "POST /api/incidents/"),
        ({"channel": "couple", "type": TYPE}, "bad-channel", "scope:entity:id"),
        ({"channel": "a:b:c"}, "bad-request", "type"),
        ({"channel": "a:b:c", "type": TYPE, "payload": 1}, "bad-request", "payload"),
        ({"channel": "a:b:c", "type": TYPE, "priority": "urgent"}, "bad-request", "priority"),
        ({"channel": "a:b:c", "type": "incident.resolved"}, "forbidden", "POST /api/incidents/"),
    ],
)
def test_a_socket_is_told_what_cannot_be_published(
    world: World, request_: dict[str, Any], code: str, said: str
) -> None:
    with socket(world) as client:
        error = ask(client, op="publish", **request_)["error"]

    assert error["code"] == code
    assert said in error["message"]


@pytest.mark.parametrize(("role", "may"), [("planner", True), ("support", False)])
def test_staff_publish_by_their_role_and_in_their_name(world: World, role: str, may: bool) -> None:
    member = MembershipFactory(organization=world.organization, role=role, user__first_name="Clara")

    with socket(world, world.ticket(user=member.user.username)) as client:
        told = ask(client, op="publish", channel=couple(world), type=TYPE)

    assert told["ok"] is may
    if may:
        assert ChannelEvent.objects.get(id=told["event"]).author == "Clara"


def test_a_contact_publishes_nothing(world: World) -> None:
    with socket(world, world.ticket(contact=str(world.people["couple"].id))) as client:
        told = ask(client, op="publish", channel=couple(world), type=TYPE)

    assert told["error"]["code"] == "forbidden"


def test_the_trace_says_who_published_it(world: World) -> None:
    member = MembershipFactory(organization=world.organization)
    member.user.password = make_password("a long password", hasher="pbkdf2_sha256")
    member.user.save()
    event_id = publish(world).json()["id"]

    page = sign_in(world, member.user.username).get(f"{world.product.base_url}/events/{event_id}/", timeout=10)

    assert page.status_code == 200
    assert "API key “tests”" in page.text
    assert TYPE in page.text
