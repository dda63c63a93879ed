"""WhatsApp's rules, in Meta's words."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.sandbox.sandbox_peer import PHONE, TOKEN, Peer, template


def error_of(answer: requests.Response) -> tuple[int, int]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_template_is_accepted_and_read_with_its_parameters(peer: Peer) -> None:
    answer = peer.whatsapp(template("Anna", "16:00", biz_opaque_callback_data="delivery-1"))
    body = answer.json()
    assert answer.status_code == 200
    assert body["contacts"] == [{"input": "+16505551234", "wa_id": "16505551234"}]
    assert body["messages"][0]["id"].startswith("wamid.")
    assert body["messages"][0]["message_status"] == "accepted"
    [message] = peer.messages("whatsapp")
    assert message["to"] == "+16505551234"
    assert message["text"] == "Hello Anna, the ceremony is at 16:00."
    assert message["body"]["biz_opaque_callback_data"] == "delivery-1"
    assert message["provider_id"] == body["messages"][0]["id"]


@pytest.mark.parametrize("token", [None, "wrong"])
def test_a_missing_or_unknown_token_is_190(peer: Peer, token: str | None) -> None:
    answer = peer.whatsapp(template("Anna", "16:00"), token=token)
    assert error_of(answer) == (401, 190)
    assert answer.json()["error"]["type"] == "OAuthException"


def test_an_unknown_number_is_100_with_subcode_33(peer: Peer) -> None:
    answer = peer.whatsapp(template("Anna", "16:00"), phone="999")
    assert error_of(answer) == (400, 100)
    assert answer.json()["error"]["error_subcode"] == 33


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (template("Anna"), 400, 132000),
        (template("Anna", "16:00", "more"), 400, 132000),
        (template("Anna", "16:00", name="unknown"), 404, 132001),
        (template("Anna\nBo", "16:00"), 400, 132012),
        (template("Anna\tBo", "16:00"), 400, 132012),
        (template("Anna     Bo", "16:00"), 400, 132012),
        (template("", "16:00"), 400, 131008),
        (template("A" * 1020, "16:00"), 400, 132005),
        (template("Anna", "16:00", to="0650"), 400, 131009),
        (template("Anna", "16:00", to=None), 400, 131008),
        (template("Anna", "16:00", to="+1 555 078 3881"), 400, 131009),
        (template("Anna", "16:00", to="+15550783881"), 400, 131021),
        (template("Anna", "16:00", type="sticker"), 400, 131051),
        (template("Anna", "16:00", messaging_product="sms"), 400, 100),
        (template("Anna", name="named"), 400, 131009),
        ([1], 400, 100),
    ],
)
def test_a_mistake_has_metas_code_and_stores_nothing(peer: Peer, body: Any, status: int, code: int) -> None:
    assert error_of(peer.whatsapp(body)) == (status, code)
    assert peer.messages("whatsapp") == []


def test_named_parameters_are_filled_by_name(peer: Peer) -> None:
    body = template(name="named")
    parameter = {"type": "text", "parameter_name": "who", "text": "Bo"}
    body["template"]["components"] = [{"type": "body", "parameters": [parameter]}]
    assert peer.whatsapp(body).status_code == 200
    assert peer.messages("whatsapp")[0]["text"] == "Hello Bo."


def test_a_quick_reply_carries_the_senders_payload(peer: Peer) -> None:
    body = template("Anna", "16:00")
    button = {"type": "button", "sub_type": "quick_reply", "index": "0"}
    body["template"]["components"].append(button | {"parameters": [{"type": "payload", "payload": "ACK:1"}]})
    assert peer.whatsapp(body).status_code == 200
    [drawn] = peer.messages("whatsapp")[0]["view"]["buttons"]
    assert (drawn["text"], drawn["payload"]) == ("Got it", "ACK:1")
    button["index"] = "1"
    body["template"]["components"] = [*template("Anna", "16:00")["template"]["components"], button]
    assert error_of(peer.whatsapp(body)) == (400, 131009)


def test_free_text_needs_an_open_window(peer: Peer) -> None:
    text = {"messaging_product": "whatsapp", "to": "+16505550001", "type": "text", "text": {"body": "See you"}}
    assert error_of(peer.whatsapp(text)) == (400, 131047)
    reply = {"service": "whatsapp", "from": "+16505550001", "text": "Hello?"}
    assert requests.post(f"{peer.url}/_/replies", json=reply, timeout=10).status_code == 200
    answer = peer.whatsapp(text)
    assert answer.status_code == 200
    assert "message_status" not in answer.json()["messages"][0]


def test_a_pair_has_its_own_rate(peer: Peer) -> None:
    answers = [peer.whatsapp(template("Anna", "16:00", to="+16505550002")) for _ in range(46)]
    assert {answer.status_code for answer in answers[:45]} == {200}
    assert error_of(answers[45]) == (429, 131056)
    assert peer.whatsapp(template("Bo", "16:00", to="+16505550003")).status_code == 200


def test_a_body_that_is_not_json_is_100(peer: Peer) -> None:
    url = f"{peer.url}/whatsapp/v26.0/106540352242922/messages"
    answer = requests.post(url, data=b"{", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
    assert error_of(answer) == (400, 100)


def test_a_window_can_be_closed_again(peer: Peer) -> None:
    text = {"messaging_product": "whatsapp", "to": "+16505550004", "type": "text", "text": {"body": "See you"}}
    reply = {"service": "whatsapp", "from": "+16505550004", "text": "STOP"}
    requests.post(f"{peer.url}/_/replies", json=reply, timeout=10).raise_for_status()
    assert peer.whatsapp(text).status_code == 200
    requests.delete(f"{peer.url}/_/windows", params={"to": "+16505550004"}, timeout=10).raise_for_status()
    assert error_of(peer.whatsapp(text)) == (400, 131047)


def test_a_number_can_be_refused_at_once(peer: Peer) -> None:
    assert error_of(peer.whatsapp(template("Anna", "16:00", to="+19990131026"))) == (400, 131026)
    assert error_of(peer.whatsapp(template("Anna", "16:00", to="+19990131048"))) == (429, 131048)
    assert peer.messages("whatsapp") == []
    assert peer.whatsapp(template("Anna", "16:00", to="+19990999999")).status_code == 200


@pytest.mark.parametrize(
    ("status", "http", "code"),
    [("PENDING", 404, 132001), ("REJECTED", 404, 132001), ("PAUSED", 400, 132015), ("DISABLED", 400, 132016)],
)
def test_a_template_that_is_not_approved_is_refused(peer: Peer, status: str, http: int, code: int) -> None:
    assert error_of(peer.whatsapp(template(name=f"is_{status.lower()}"))) == (http, code)


def test_a_held_template_is_accepted_and_nothing_follows(peer: Peer) -> None:
    answer = peer.whatsapp(template(name="is_held")).json()
    assert answer["messages"][0]["message_status"] == "held_for_quality_assessment"
    assert peer.messages("whatsapp")[0]["status"] == "accepted"


def test_templates_are_read_in_pages_with_their_status(peer: Peer) -> None:
    path, headers = "/whatsapp/v26.0/102290129340398/message_templates", {"Authorization": f"Bearer {TOKEN}"}
    first = peer.get(path, params={"limit": 4}, headers=headers).json()
    rest = requests.get(first["paging"]["next"], headers=headers, timeout=10).json()
    listed = {each["name"]: each for each in first["data"] + rest["data"]}
    assert len(listed) == 7
    assert "next" not in rest["paging"]
    assert listed["is_paused"]["status"] == "PAUSED"
    assert listed["named"]["parameter_format"] == "NAMED"
    assert listed["timeline_updated"]["components"][1]["buttons"] == [{"type": "QUICK_REPLY", "text": "Got it"}]
    only = peer.get(path, params={"status": "PENDING"}, headers=headers).json()["data"]
    assert [each["name"] for each in only] == ["is_pending"]
    assert error_of(peer.get(path)) == (401, 190)
    assert error_of(peer.get(path.replace("102290129340398", "1"), headers=headers)) == (400, 100)
    assert error_of(peer.get(path, params={"after": "?"}, headers=headers)) == (400, 100)


@pytest.mark.parametrize(
    ("token", "phone", "status", "code"),
    [(TOKEN, PHONE, 200, None), ("other", PHONE, 401, 190), (TOKEN, "99887766", 400, 100)],
)
def test_a_number_is_looked_up_by_its_owner_alone(
    peer: Peer, token: str, phone: str, status: int, code: int | None
) -> None:
    answer = peer.get(f"/whatsapp/v26.0/{phone}", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == status
    assert answer.json().get("error", {}).get("code") == code
    if code is None:
        assert (answer.json()["id"], answer.json()["display_phone_number"]) == (PHONE, "+15550783881")
