"""Slack's limits and its plain-text answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tests.sandbox.sandbox_peer import SLACK_PATH, Peer, configuration, running


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": "OK"}, "action_id": "ack"} | more


def test_blocks_are_taken_and_read_as_text(peer: Peer) -> None:
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Power outage"}},
        section("<!channel> call *Marco*"),
        {"type": "actions", "elements": [button()]},
    ]
    answer = peer.slack({"text": "Power outage", "blocks": blocks})
    assert (answer.status_code, answer.text) == (200, "ok")
    assert answer.headers["Content-Type"].startswith("text/plain")
    [message] = peer.messages("slack")
    assert message["to"] == "#wedding-coordination"
    assert message["text"] == "Power outage\nPower outage\n<!channel> call *Marco*\n[OK]"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "no_text"),
        ({"text": "  "}, "no_text"),
        ([], "invalid_payload"),
        ({"text": 5}, "invalid_payload"),
        ({"text": "x", "attachments": [{}] * 101}, "too_many_attachments"),
        ({"blocks": [section("x")] * 51}, "invalid_blocks"),
        ({"blocks": [section("x" * 3001)]}, "invalid_blocks"),
        ({"blocks": [section("")]}, "invalid_blocks"),
        ({"blocks": [{"type": "section"}]}, "invalid_blocks"),
        ({"blocks": [{"type": "section", "fields": [section("x")["text"]] * 11}]}, "invalid_blocks"),
        ({"blocks": [{"type": "section", "fields": [section("x" * 2001)["text"]]}]}, "invalid_blocks"),
        ({"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]}, "invalid_blocks"),
        ({"blocks": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}]}, "invalid_blocks"),
        ({"blocks": [{"type": "context", "elements": [section("x")["text"]] * 11}]}, "invalid_blocks"),
        ({"blocks": [{"type": "actions", "elements": [button()] * 26}]}, "invalid_blocks"),
        ({"blocks": [{"type": "actions", "elements": [button(value="x" * 2001)]}]}, "invalid_blocks"),
        ({"blocks": [{"type": "surprise"}]}, "invalid_blocks"),
        ({"blocks": [5]}, "invalid_blocks"),
        ({"blocks": [section("x") | {"block_id": "a"}] * 2}, "invalid_blocks"),
    ],
)
def test_a_mistake_is_named_in_plain_text(peer: Peer, body: Any, error: str) -> None:
    answer = peer.slack(body)
    assert (answer.status_code, answer.text) == (400, error)
    assert peer.messages("slack") == []


def test_what_is_just_within_the_limits_is_taken(peer: Peer) -> None:
    assert peer.slack({"blocks": [section("x" * 3000)] * 50}).status_code == 200


def test_an_unknown_webhook_is_no_service(peer: Peer) -> None:
    answer = peer.slack({"text": "x"}, path="T01/B02/guess")
    assert (answer.status_code, answer.text) == (404, "no_service")


def test_the_secret_of_a_webhook_is_neither_logged_nor_listed(peer: Peer) -> None:
    peer.slack({"text": "x"})
    assert peer.request_log("slack")["rows"][0]["path"] == "/services/T01/B02/***"
    assert "hush-hush" not in json.dumps(peer.log)
    assert "hush-hush" not in peer.get("/").text


def test_a_burst_is_tolerated_and_then_limited(home: Any) -> None:
    config = configuration()
    del config["slack"]["burst"]
    (home / "sandbox.json").write_text(json.dumps(config))
    with running(home) as peer:
        url = f"{peer.url}/slack/services/{SLACK_PATH}"
        with requests.Session() as session:
            answers = [session.post(url, json={"text": "x"}, timeout=10) for _ in range(13)]
    assert [answer.status_code for answer in answers[:10]] == [200] * 10
    assert answers[-1].status_code == 429
    assert answers[-1].headers["Retry-After"] == "1"
