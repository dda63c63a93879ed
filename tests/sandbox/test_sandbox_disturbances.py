"""Callbacks that come late, twice, in disorder or not at all; and statuses made to happen."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from sandbox.callbacks.disturbances import Disturbance, timetable
from tests.sandbox.sandbox_peer import Peer, email, template
from tests.sandbox.sandbox_product import Product, statuses

STEPS = [(0.2, "sent"), (0.6, "delivered")]


def post(peer: Peer, path: str, body: Any) -> requests.Response:
    return requests.post(f"{peer.url}/_/{path}", json=body, timeout=10)


def disturb(peer: Peer, **how: Any) -> None:
    answer = post(peer, "callbacks", how)
    assert answer.status_code == 201, answer.text


def test_a_status_is_told_late_but_happens_at_its_time() -> None:
    table = timetable(STEPS, Disturbance(service="whatsapp", delay_seconds=1.0))
    assert table == [(0.2, "happens", 0), (0.6, "happens", 1), (1.2, "is told", 0), (1.6, "is told", 1)]


def test_disorder_tells_the_last_first_after_all_happened() -> None:
    table = timetable(STEPS, Disturbance(service="whatsapp", disorder=True))
    assert [each for each in table if each[1] == "is told"] == [(0.6, "is told", 1), (0.6, "is told", 0)]
    assert table[:2] == [(0.2, "happens", 0), (0.6, "happens", 1)]


def test_doubled_and_disordered_statuses_are_signed_and_the_same_bytes(calling_peer: Peer, product: Product) -> None:
    disturb(calling_peer, service="whatsapp", double=True, disorder=True)
    calling_peer.whatsapp(template("Anna", "16:00"))
    bodies = product.at("/whatsapp", 4)
    assert [each["status"] for each in statuses(bodies)] == ["delivered", "delivered", "sent", "sent"]
    assert bodies[0] == bodies[1]
    assert len({headers["x-hub-signature-256"] for headers, _ in bodies}) == 2


def test_a_dropped_status_is_never_told_and_a_doubled_event_keeps_its_id(calling_peer: Peer, product: Product) -> None:
    disturb(calling_peer, service="resend", double=True, drop="sent")
    calling_peer.resend(email())
    found = product.at("/resend", 2)
    assert [json.loads(body)["type"] for _, body in found] == ["email.delivered"] * 2
    assert found[0][0]["svix-id"] == found[1][0]["svix-id"]


def test_delete_ends_it_for_messages_from_then_on(calling_peer: Peer, product: Product) -> None:
    disturb(calling_peer, service="whatsapp", double=True)
    assert [each["service"] for each in calling_peer.get("/_/callbacks").json()["callbacks"]] == ["whatsapp"]
    requests.delete(f"{calling_peer.url}/_/callbacks", timeout=10).raise_for_status()
    calling_peer.whatsapp(template("Anna", "16:00"))
    assert [each["status"] for each in statuses(product.at("/whatsapp", 2))] == ["sent", "delivered"]


def test_a_press_in_slack_can_come_twice(calling_peer: Peer, product: Product) -> None:
    disturb(calling_peer, service="slack", double=True)
    button = {"type": "button", "text": {"type": "plain_text", "text": "OK"}, "action_id": "ack", "value": "A"}
    calling_peer.slack({"text": "x", "blocks": [{"type": "actions", "elements": [button]}]})
    [message] = calling_peer.messages("slack")
    press = {"service": "slack", "message": message["id"], "action_id": "ack", "user": "marco"}
    assert post(calling_peer, "replies", press).json() == {"callback_status": 200}
    first, second = product.at("/slack", 2)
    assert first[1] == second[1]
    assert calling_peer.messages("slack")[0]["view"]["replies"] == ["marco pressed OK"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"service": "fax"}, "service"),
        ({"service": "whatsapp", "delay_seconds": -1}, "delay_seconds"),
        ({"service": "whatsapp", "double": "yes"}, "double"),
        ({"service": "whatsapp", "typo": 1}, "typo"),
        ({"service": "slack", "disorder": True}, "Slack"),
    ],
)
def test_a_mistaken_disturbance_is_400_and_names_the_place(peer: Peer, body: Any, place: str) -> None:
    answer = post(peer, "callbacks", body)
    assert (answer.status_code, place in answer.json()["error"]) == (400, True)


def test_a_status_happens_when_told(calling_peer: Peer, product: Product) -> None:
    disturb(calling_peer, service="whatsapp", delay_seconds=600)
    wamid = calling_peer.whatsapp(template("Anna", "16:00")).json()["messages"][0]["id"]
    failed = {"service": "whatsapp", "message": wamid, "status": "failed", "code": 131049}
    assert post(calling_peer, "statuses", failed).json() == {"callback_status": 200}
    read = {"service": "whatsapp", "message": calling_peer.messages("whatsapp")[0]["id"], "status": "read"}
    assert post(calling_peer, "statuses", read).json() == {"callback_status": 200}
    found = statuses(product.at("/whatsapp", 2))
    assert [(each["id"], each["status"]) for each in found] == [(wamid, "failed"), (wamid, "read")]
    assert found[0]["errors"][0]["code"] == 131049


def test_a_mail_is_opened_bounces_softly_and_is_marked_as_spam(calling_peer: Peer, product: Product) -> None:
    disturb(calling_peer, service="resend", delay_seconds=600)
    email_id = calling_peer.resend(email()).json()["id"]
    told = {"service": "resend", "message": email_id}
    for status, code in (("opened", None), ("bounced", "Transient"), ("complained", None)):
        assert post(calling_peer, "statuses", told | {"status": status, "code": code}).json()["callback_status"] == 200
    events = [json.loads(body) for _, body in product.at("/resend", 3)]
    assert [event["type"] for event in events] == ["email.opened", "email.bounced", "email.complained"]
    assert events[1]["data"]["bounce"]["type"] == "Transient"


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"message": 999}, "message"),
        ({"service": "slack"}, "service"),
        ({"status": "opened"}, "status"),
        ({"status": "failed", "code": 1}, ""),
        ({"status": "failed", "code": 424242}, "code"),
        ({"code": 131026}, "code"),
    ],
)
def test_a_status_that_cannot_be_is_400(peer: Peer, more: dict[str, Any], place: str) -> None:
    peer.whatsapp(template("Anna", "16:00"))
    message = peer.messages("whatsapp")[0]["id"]
    answer = post(peer, "statuses", {"service": "whatsapp", "message": message, "status": "read"} | more)
    assert (answer.status_code, answer.json().get("error", "").startswith(place)) == (400 if place else 200, True)
