"""Resend's rules: errors, idempotency, rates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.polling import until
from tests.sandbox.sandbox_peer import RESEND_KEY, Peer, configuration, email, running


def test_an_email_is_taken_and_can_be_retrieved(peer: Peer) -> None:
    answer = peer.resend(email())
    email_id = answer.json()["id"]
    assert answer.status_code == 200
    assert answer.headers["ratelimit-limit"] == "40"
    [message] = peer.messages("resend")
    assert (message["to"], message["text"], message["html"]) == ("anna@couple.example", "16:00", "<p>16:00</p>")
    headers = {"Authorization": answer.request.headers["Authorization"]}
    found = peer.get(f"/resend/emails/{email_id}", headers=headers).json()
    assert (found["id"], found["subject"], found["to"]) == (email_id, "New times", ["anna@couple.example"])
    assert peer.get("/resend/emails/unknown", headers=headers).json()["name"] == "not_found"


def test_a_team_lists_its_own_domains_and_a_wrong_key_none(peer: Peer) -> None:
    right = peer.get("/resend/domains", headers={"Authorization": f"Bearer {RESEND_KEY}"})
    wrong = peer.get("/resend/domains", headers={"Authorization": "Bearer re_other"})

    assert [(each["name"], each["status"]) for each in right.json()["data"]] == [("wedsync.example", "verified")]
    assert (wrong.status_code, wrong.json()["name"]) == (403, "invalid_api_key")


@pytest.mark.parametrize(
    ("body", "status", "name"),
    [
        (email(to=None), 422, "missing_required_field"),
        (email(subject=""), 422, "missing_required_field"),
        (email(html=None, text=None), 422, "missing_required_field"),
        (email(**{"from": "nobody"}), 422, "invalid_from_address"),
        (email(**{"from": "a@other.example"}), 403, "validation_error"),
        (email(to=["no address"]), 422, "validation_error"),
        (email(to=["a@b.example"] * 51), 422, "validation_error"),
        (email(to="someone@example.com"), 422, "validation_error"),
        (email(tags=[{"name": "kind", "value": "no spaces"}]), 422, "validation_error"),
        (email(attachments=[{"filename": "a.pdf"}]), 422, "invalid_attachment"),
        ([], 400, "validation_error"),
    ],
)
def test_a_mistake_has_resends_shape_and_stores_nothing(peer: Peer, body: Any, status: int, name: str) -> None:
    answer = peer.resend(body)
    assert (answer.status_code, answer.json()["statusCode"], answer.json()["name"]) == (status, status, name)
    assert peer.messages("resend") == []


@pytest.mark.parametrize(
    ("headers", "status", "name"),
    [
        ({"Authorization": None}, 401, "missing_api_key"),
        ({"Authorization": "Bearer re_other"}, 403, "invalid_api_key"),
        ({"User_Agent": ""}, 403, "validation_error"),
        ({"Idempotency_Key": "k" * 257}, 400, "invalid_idempotency_key"),
    ],
)
def test_headers_are_checked(peer: Peer, headers: dict[str, str | None], status: int, name: str) -> None:
    answer = peer.resend(email(), **headers)
    assert (answer.status_code, answer.json()["name"]) == (status, name)


def test_the_same_key_and_payload_gives_the_same_answer_and_one_message(peer: Peer) -> None:
    first = peer.resend(email(), Idempotency_Key="one")
    again = peer.resend(dict(reversed(email().items())), Idempotency_Key="one")
    assert first.json() == again.json()
    assert len(peer.messages("resend")) == 1


def test_the_same_key_with_another_payload_is_409(peer: Peer) -> None:
    peer.resend(email(), Idempotency_Key="two")
    answer = peer.resend(email(subject="Other"), Idempotency_Key="two")
    assert (answer.status_code, answer.json()["name"]) == (409, "invalid_idempotent_request")


def test_a_refused_email_does_not_use_up_its_key(peer: Peer) -> None:
    assert peer.resend(email(subject=""), Idempotency_Key="three").status_code == 422
    assert peer.resend(email(), Idempotency_Key="three").status_code == 200


def test_a_bounce_shows_as_the_last_event(peer: Peer) -> None:
    peer.resend(email(to="bounced+anna@resend.dev"))
    until(lambda: peer.messages("resend")[0]["status"] == "bounced")


def test_too_many_requests_are_429_with_retry_after(home: Path) -> None:
    config = configuration()
    config["resend"]["rate_per_second"] = 2
    (home / "sandbox.json").write_text(json.dumps(config))
    with running(home) as peer, requests.Session() as session:
        url, headers = f"{peer.url}/resend/emails", {"Authorization": "Bearer re_key"}
        answers = [session.post(url, json=email(), headers=headers, timeout=10) for _ in range(4)]
    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited
    assert limited[0].json()["name"] == "rate_limit_exceeded"
    assert limited[0].headers["retry-after"] == "1"
    assert limited[0].headers["ratelimit-remaining"] == "0"
