"""Signed calls back to the product: statuses, replies, button presses."""

from __future__ import annotations

import hashlib
import hmac
import json
from urllib.parse import parse_qs

import requests

from sandbox.signatures import slack_signature, standard_webhooks_signature
from tests.polling import until
from tests.sandbox.sandbox_peer import SECRET, Peer, email, template
from tests.sandbox.sandbox_product import Product, statuses


def test_whatsapp_reports_sent_then_delivered_signed(calling_peer: Peer, product: Product) -> None:
    wamid = calling_peer.whatsapp(template("Anna", "16:00", biz_opaque_callback_data="d-1")).json()["messages"][0]["id"]
    bodies = product.at("/whatsapp", 2)
    assert [status["status"] for status in statuses(bodies)] == ["sent", "delivered"]
    assert {status["id"] for status in statuses(bodies)} == {wamid}
    assert {status["biz_opaque_callback_data"] for status in statuses(bodies)} == {"d-1"}
    for headers, body in bodies:
        expected = hmac.new(b"app-secret", body, hashlib.sha256).hexdigest()
        assert headers["x-hub-signature-256"] == f"sha256={expected}"
    assert calling_peer.messages("whatsapp")[0]["status"] == "delivered"


def test_whatsapp_shakes_hands_once_before_its_first_callback(calling_peer: Peer, product: Product) -> None:
    product.verify_token = "another"
    calling_peer.whatsapp(template("Anna", "16:00"))
    until(lambda: product.handshakes)
    assert product.received == []
    product.verify_token = "verify"
    calling_peer.whatsapp(template("Anna", "17:00", to="+16505551235"))
    product.at("/whatsapp", 4)
    assert len(product.handshakes) >= 2
    told = len(product.handshakes)
    calling_peer.whatsapp(template("Anna", "18:00", to="+16505551236"))
    product.at("/whatsapp", 6)
    assert len(product.handshakes) == told


def test_a_number_that_ends_in_an_error_code_fails_with_it(calling_peer: Peer, product: Product) -> None:
    assert calling_peer.whatsapp(template("Anna", "16:00", to="+15550131026")).status_code == 200
    [status] = statuses(product.at("/whatsapp", 1))
    assert (status["status"], status["errors"][0]["code"]) == ("failed", 131026)


def test_a_refused_callback_is_sent_again(calling_peer: Peer, product: Product) -> None:
    product.refuse_first = True
    calling_peer.whatsapp(template("Anna", "16:00"))
    found = [status["status"] for status in statuses(product.at("/whatsapp", 3))]
    assert found == ["sent", "sent", "delivered"]


def test_a_pressed_quick_reply_comes_back_with_its_payload(calling_peer: Peer, product: Product) -> None:
    body = template("Anna", "16:00")
    parameters = [{"type": "payload", "payload": "ACK:1"}]
    button = {"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": parameters}
    body["template"]["components"].append(button)
    wamid = calling_peer.whatsapp(body).json()["messages"][0]["id"]
    product.at("/whatsapp", 2)
    [message] = calling_peer.messages("whatsapp")
    press = {"service": "whatsapp", "message": message["id"], "button": 0}
    answer = requests.post(f"{calling_peer.url}/_/replies", json=press, timeout=10)
    assert answer.json() == {"callback_status": 200}
    read, pressed = product.at("/whatsapp", 4)[2:]
    assert statuses([read])[0]["status"] == "read"
    assert calling_peer.messages("whatsapp")[0]["view"]["replies"] == ["Got it"]
    [reply] = json.loads(pressed[1])["entry"][0]["changes"][0]["value"]["messages"]
    assert reply["button"] == {"payload": "ACK:1", "text": "Got it"}
    assert (reply["from"], reply["context"]["id"]) == ("16505551234", wamid)


def test_resend_reports_events_signed_as_svix_does(calling_peer: Peer, product: Product) -> None:
    mail = email(to="bounced@resend.dev", tags=[{"name": "delivery", "value": "d-1"}])
    email_id = calling_peer.resend(mail).json()["id"]
    found = product.at("/resend", 2)
    events = [json.loads(body) for _, body in found]
    assert [event["type"] for event in events] == ["email.sent", "email.bounced"]
    assert events[1]["data"]["email_id"] == email_id
    assert events[1]["data"]["tags"] == {"delivery": "d-1"}
    assert events[1]["data"]["bounce"]["type"] == "Permanent"
    for headers, body in found:
        expected = standard_webhooks_signature(SECRET, headers["svix-id"], headers["svix-timestamp"], body)
        assert headers["svix-signature"] == expected


def test_a_pressed_slack_button_is_a_signed_interaction(calling_peer: Peer, product: Product) -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "OK"}, "action_id": "ack", "value": "ACK:1"}
    actions = {"type": "actions", "block_id": "b1", "elements": [button]}
    calling_peer.slack({"text": "x", "blocks": [actions]})
    [message] = calling_peer.messages("slack")
    press = {"service": "slack", "message": message["id"], "action_id": "ack"}
    assert requests.post(f"{calling_peer.url}/_/replies", json=press, timeout=10).json() == {"callback_status": 200}
    [(headers, body)] = product.at("/slack", 1)
    expected = slack_signature("slack-secret", headers["x-slack-request-timestamp"], body)
    assert headers["x-slack-signature"] == expected
    payload = json.loads(parse_qs(body.decode())["payload"][0])
    assert payload["type"] == "block_actions"
    assert payload["container"]["message_ts"] == payload["message"]["ts"]
    assert (payload["actions"][0]["value"], payload["actions"][0]["block_id"]) == ("ACK:1", "b1")
    assert (
        requests.post(f"{calling_peer.url}/_/replies", json=press | {"action_id": "no"}, timeout=10).status_code == 400
    )


def test_the_published_svix_vector_holds() -> None:
    body = b'{"test": 2432232314}'
    signature = standard_webhooks_signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
