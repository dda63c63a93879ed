"""A push service's rules, tried with the libraries that senders use."""

from __future__ import annotations

import json
import shutil
import time
from typing import Any

import pytest
import requests
from playwright.sync_api import expect, sync_playwright
from py_vapid import Vapid02, b64urlencode
from pywebpush import WebPusher

from sandbox.services.web_push.encryption import encoded, point_of
from tests.sandbox.sandbox_peer import Peer

CHROMIUM = shutil.which("chromium")
LINK = "https://hub.example/"
PAYLOAD: dict[str, Any] = {
    "web_push": 8030,
    "notification": {"title": "The ceremony is at 16:00", "body": "Was: 15:00", "navigate": LINK, "tag": "a"},
}


@pytest.fixture(scope="module")
def sender() -> Vapid02:
    made = Vapid02()
    made.generate_keys()
    return made


@pytest.fixture
def browser(peer: Peer, sender: Vapid02) -> dict[str, Any]:
    return peer.browser(encoded(point_of(sender.public_key)))


def claims_for(peer: Peer, **changed: Any) -> dict[str, Any]:
    return {"aud": peer.url, "exp": int(time.time()) + 3600, "sub": "mailto:a@b.example", **changed}


def push(
    peer: Peer, browser: dict[str, Any], sender: Vapid02, payload: Any = PAYLOAD, claims: Any = None, **headers: Any
) -> requests.Response:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(
        browser["endpoint"],
        data=WebPusher(browser).encode(raw)["body"],
        headers={"TTL": "60", "Content-Encoding": "aes128gcm", **sender.sign(claims or claims_for(peer)), **named},
        timeout=10,
    )


def test_a_message_encrypted_by_another_library_is_shown(peer: Peer, browser: dict[str, Any], sender: Vapid02) -> None:
    answer = push(peer, browser, sender, Urgency="high", Topic="guest_count")

    assert (answer.status_code, answer.text) == (201, "")
    assert answer.headers["Location"].startswith(f"{peer.url}/web_push/message/")
    (message,) = peer.messages("web_push")
    assert (message["to"], message["text"]) == ("Anna's phone", "The ceremony is at 16:00\nWas: 15:00")
    assert message["body"] == PAYLOAD
    assert (message["view"]["ttl"], message["view"]["urgency"], message["view"]["topic"]) == (60, "high", "guest_count")


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "https://elsewhere.example"},
        {"exp": 1_000_000_000},
        {"exp": 9_000_000_000},
    ],
)
def test_a_token_for_somebody_else_or_another_time_is_refused(
    peer: Peer, browser: dict[str, Any], sender: Vapid02, changed: dict[str, Any]
) -> None:
    answer = push(peer, browser, sender, claims=claims_for(peer, **changed))

    assert answer.status_code == 403
    assert next(iter(changed)) in answer.json()["message"]
    assert peer.messages("web_push") == []


def test_a_token_without_a_contact_is_refused(peer: Peer, browser: dict[str, Any], sender: Vapid02) -> None:
    lax = Vapid02(sender.private_key, conf={"no-strict": True})

    answer = push(peer, browser, lax, claims=claims_for(peer, sub="nobody"))

    assert (answer.status_code, "sub" in answer.json()["message"]) == (403, True)


def test_another_senders_key_and_a_forged_signature_are_refused(
    peer: Peer, browser: dict[str, Any], sender: Vapid02
) -> None:
    stranger = Vapid02()
    stranger.generate_keys()
    forged = stranger.sign(claims_for(peer))["Authorization"].partition(",k=")[0]
    own = f"{forged},k={b64urlencode(point_of(sender.public_key))}"

    assert push(peer, browser, stranger).status_code == 403
    assert push(peer, browser, sender, Authorization=own).status_code == 403
    assert push(peer, browser, sender, Authorization="Bearer x").status_code == 401
    assert push(peer, browser, sender, Authorization="vapid t=a.b").status_code == 401
    assert push(peer, browser, sender, Authorization="vapid t=a.b.c, k=d").status_code == 403
    assert peer.messages("web_push") == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"TTL": "soon"}, 400),
        ({"Urgency": "now"}, 400),
        ({"Topic": "a" * 33}, 400),
        ({"Content_Encoding": "aesgcm"}, 400),
    ],
)
def test_malformed_headers_are_refused(
    peer: Peer, browser: dict[str, Any], sender: Vapid02, headers: dict[str, str], status: int
) -> None:
    assert push(peer, browser, sender, **headers).status_code == status


def test_what_is_too_large_or_has_no_browser_is_refused(peer: Peer, browser: dict[str, Any], sender: Vapid02) -> None:
    assert push(peer, browser, sender, b"a" * 3900).status_code == 201
    assert push(peer, browser, sender, b"a" * 4000).status_code == 413
    unknown = {**browser, "endpoint": f"{peer.url}/web_push/send/unknown"}
    assert push(peer, unknown, sender).status_code == 404

    peer.ends(browser)

    assert push(peer, browser, sender).status_code == 410


@pytest.mark.parametrize("status", [400, 403, 404, 410, 413, 429, 500])
def test_it_answers_by_wish(peer: Peer, browser: dict[str, Any], sender: Vapid02, status: int) -> None:
    peer.fault("web_push", "status", status=status, count=1)

    answer = push(peer, browser, sender)

    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("1" if status == 429 else None)
    assert push(peer, browser, sender).status_code == 201


def test_what_a_browser_cannot_read_is_dropped_visibly(peer: Peer, browser: dict[str, Any], sender: Vapid02) -> None:
    other = peer.browser(encoded(point_of(sender.public_key)))
    mixed_up = {"endpoint": browser["endpoint"], "keys": other["keys"]}

    assert push(peer, mixed_up, sender).status_code == 201
    assert push(peer, browser, sender, {"web_push": 8030, "notification": {"title": "no link"}}).status_code == 201

    foreign, incomplete = peer.messages("web_push")
    assert "does not decrypt" in foreign["view"]["unreadable"]
    assert "navigate" in incomplete["view"]["unreadable"]


def test_an_endpoint_is_in_no_log_and_no_listing(peer: Peer, browser: dict[str, Any], sender: Vapid02) -> None:
    push(peer, browser, sender)

    token = browser["endpoint"].rpartition("/")[2]
    assert token not in json.dumps(peer.request_log("web_push"))
    assert token not in json.dumps(peer.messages("web_push"))
    assert all(token not in json.dumps(line) for line in peer.log)


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_the_page_shows_notifications_as_a_phone_does(peer: Peer, browser: dict[str, Any], sender: Vapid02) -> None:
    push(peer, browser, sender)
    later = {**PAYLOAD["notification"], "title": "The ceremony is at <17:00>"}
    push(peer, browser, sender, {**PAYLOAD, "notification": later})
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page()
        page.goto(f"{peer.url}/?service=web_push")
        shown = page.locator(".push .notification")
        expect(shown).to_have_count(2)
        expect(shown.first).to_have_class("notification replaced")
        expect(shown.last).to_contain_text("The ceremony is at <17:00>")
        expect(shown.last.get_by_role("link")).to_have_attribute("href", LINK)
        chromium.close()
