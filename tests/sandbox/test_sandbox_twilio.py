"""Twilio's rules, in Twilio's words; its signatures as Twilio's own library checks them."""

from __future__ import annotations

import os
import shutil
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
from playwright.sync_api import expect, sync_playwright
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from tests.polling import until
from tests.sandbox.sandbox_peer import TWILIO_NUMBER, TWILIO_SID, TWILIO_TOKEN, Peer
from tests.sandbox.sandbox_product import Product

CHROMIUM = shutil.which("chromium")


def text(**more: str) -> dict[str, str]:
    return {"To": "+16505551234", "From": TWILIO_NUMBER, "Body": "The ceremony is at 16:00."} | more


def error_of(answer: requests.Response) -> tuple[int, int]:
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["more_info"].endswith(str(body["code"]))
    return answer.status_code, body["code"]


def reply(peer: Peer, **asked: Any) -> Any:
    answer = requests.post(f"{peer.url}/_/replies", json={"service": "twilio", **asked}, timeout=10)
    answer.raise_for_status()
    return answer.json()["callback_status"]


def test_a_message_is_queued_and_counted_in_segments(peer: Peer) -> None:
    answer = peer.twilio(text())
    body = answer.json()
    assert answer.status_code == 201
    assert body["sid"].startswith("SM")
    assert (body["status"], body["num_segments"], body["to"], body["from"]) == (
        "queued",
        "1",
        "+16505551234",
        TWILIO_NUMBER,
    )
    [message] = peer.messages("twilio")
    assert (message["provider_id"], message["text"]) == (body["sid"], "The ceremony is at 16:00.")
    assert message["view"]["encoding"] == "GSM-7"


def test_a_messaging_service_counts_no_segments(peer: Peer) -> None:
    body = peer.twilio({"To": "+16505551234", "MessagingServiceSid": "MG1", "Body": "Hello"}).json()
    assert (body["status"], body["num_segments"], body["from"]) == ("accepted", "0", None)


@pytest.mark.parametrize(
    ("body", "segments", "encoding"),
    [
        ("a" * 160, 1, "GSM-7"),
        ("a" * 161, 2, "GSM-7"),
        ("a" * 459, 3, "GSM-7"),
        ("€" * 80, 1, "GSM-7"),
        ("€" * 81, 2, "GSM-7"),
        ("a" * 152 + "€" + "a" * 152, 3, "GSM-7"),
        ("ç" * 70, 1, "UCS-2"),
        ("ç" * 71, 2, "UCS-2"),
        ("🔥" * 35, 1, "UCS-2"),
        ("🔥" * 36, 2, "UCS-2"),
        ("é ü ñ à", 1, "GSM-7"),
    ],
)
def test_segments_are_counted_as_phones_do(peer: Peer, body: str, segments: int, encoding: str) -> None:
    assert peer.twilio(text(Body=body)).json()["num_segments"] == str(segments)
    assert peer.messages("twilio")[0]["view"]["encoding"] == encoding


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (text(To=""), 400, 21604),
        (text(To="0650"), 400, 21211),
        (text(To="+1650555123٤"), 400, 21211),
        (text(To=TWILIO_NUMBER), 400, 21266),
        (text(From=""), 400, 21603),
        (text(From="+15005550000"), 400, 21659),
        (text(MessagingServiceSid="MG2"), 400, 21705),
        (text(Body=""), 400, 21602),
        (text(Body="a" * 1601), 400, 21617),
        (text(StatusCallback="nowhere"), 400, 21609),
        (text(StatusCallback="http://[::1"), 400, 21609),
        (text(StatusCallback="http://hub.example:99999/x"), 400, 21609),
        (text(To="+19990021610"), 400, 21610),
        (text(To="+19990021614"), 400, 21614),
        (text(To="+19990020429"), 429, 20429),
    ],
)
def test_a_mistake_has_twilios_code_and_stores_nothing(
    peer: Peer, body: dict[str, str], status: int, code: int
) -> None:
    assert error_of(peer.twilio(body)) == (status, code)
    assert peer.messages("twilio") == []


@pytest.mark.parametrize("login", [("AC0", TWILIO_TOKEN), (TWILIO_SID, "wrong"), ("", "")])
def test_a_wrong_login_is_20003(peer: Peer, login: tuple[str, str]) -> None:
    assert error_of(peer.twilio(text(), login=login)) == (401, 20003)


def test_an_api_key_counts_as_the_accounts_token(peer: Peer) -> None:
    assert peer.twilio(text(), login=("SK1", "key-secret")).status_code == 201


def test_json_is_not_read(peer: Peer) -> None:
    url = f"{peer.url}/twilio/2010-04-01/Accounts/{TWILIO_SID}/Messages.json"
    answer = requests.post(url, json=text(), auth=(TWILIO_SID, TWILIO_TOKEN), timeout=10)
    assert error_of(answer) == (400, 21604)


def test_numbers_can_be_read_and_nothing_else(peer: Peer) -> None:
    base, login = f"/twilio/2010-04-01/Accounts/{TWILIO_SID}", (TWILIO_SID, TWILIO_TOKEN)
    found = peer.get(f"{base}/IncomingPhoneNumbers.json?PageSize=1", auth=login).json()["incoming_phone_numbers"]
    assert [each["phone_number"] for each in found] == [TWILIO_NUMBER]
    assert error_of(peer.get(f"{base}/Calls.json", auth=login)) == (404, 20404)
    assert error_of(peer.get("/twilio/2010-04-01/Accounts/AC0/Messages.json", auth=login)) == (404, 20404)


def test_a_fault_can_name_twilios_code(peer: Peer) -> None:
    peer.fault("twilio", "status", code=20429, count=1)
    answer = peer.twilio(text())
    assert error_of(answer) == (429, 20429)
    assert answer.headers["Retry-After"] == "1"
    peer.fault("twilio", "status", count=1)
    assert error_of(peer.twilio(text())) == (503, 20503)


def test_the_callers_key_is_tallied(peer: Peer) -> None:
    for _ in range(2):
        peer.twilio(text(StatusCallback="http://127.0.0.1:9/status?key=d-1"))
    entry = peer.get("/_/tally?service=twilio").json()["tally"]["d-1"]
    assert (entry["received"], entry["taken"], entry["bodies"]) == (2, 2, 1)


def test_statuses_come_signed_to_the_url_that_the_message_named(calling_peer: Peer, product: Product) -> None:
    url = f"http://127.0.0.1:{product.server.server_port}/status?key=d-1&more=%C3%A9"
    sid = calling_peer.twilio(text(StatusCallback=url)).json()["sid"]
    found = product.at("/status?key=d-1&more=%C3%A9", 3)
    forms = [dict(parse_qsl(body.decode())) for _, body in found]
    assert [form["MessageStatus"] for form in forms] == ["queued", "sent", "delivered"]
    assert {form["MessageSid"] for form in forms} == {sid}
    for (headers, _), form in zip(found, forms, strict=True):
        assert RequestValidator(TWILIO_TOKEN).validate(url, form, headers["x-twilio-signature"])
    assert calling_peer.messages("twilio")[0]["status"] == "delivered"


@pytest.mark.parametrize("code", [30003, 30004, 30005, 30006, 30007])
def test_a_number_that_ends_in_a_late_code_is_undelivered_with_it(
    calling_peer: Peer, product: Product, code: int
) -> None:
    url = f"http://127.0.0.1:{product.server.server_port}/status"
    assert calling_peer.twilio(text(To=f"+155500{code}", StatusCallback=url)).status_code == 201
    last = dict(parse_qsl(product.at("/status", 3)[-1][1].decode()))
    assert (last["MessageStatus"], last["ErrorCode"]) == ("undelivered", str(code))


def test_a_status_can_be_made_to_happen(calling_peer: Peer, product: Product) -> None:
    url = f"http://127.0.0.1:{product.server.server_port}/status"
    calling_peer.twilio(text(StatusCallback=url))
    product.at("/status", 3)
    [message] = calling_peer.messages("twilio")
    asked = {"service": "twilio", "message": message["id"], "status": "failed", "code": 30005}
    answer = requests.post(f"{calling_peer.url}/_/statuses", json=asked, timeout=10)
    assert answer.json() == {"callback_status": 200}
    assert dict(parse_qsl(product.at("/status", 4)[-1][1].decode()))["ErrorCode"] == "30005"
    asked["code"] = 131026
    assert requests.post(f"{calling_peer.url}/_/statuses", json=asked, timeout=10).status_code == 400


def test_stop_and_start_count_at_twilio_and_are_told(calling_peer: Peer, product: Product) -> None:
    calling_peer.twilio(text())
    [message] = calling_peer.messages("twilio")
    assert reply(calling_peer, message=message["id"], text=" stop ") == 200
    headers, body = product.at("/twilio", 1)[0]
    form = dict(parse_qsl(body.decode()))
    assert (form["From"], form["To"], form["OptOutType"]) == ("+16505551234", TWILIO_NUMBER, "STOP")
    url = f"http://127.0.0.1:{product.server.server_port}/twilio"
    assert RequestValidator(TWILIO_TOKEN).validate(url, form, headers["x-twilio-signature"])
    assert error_of(calling_peer.twilio(text())) == (400, 21610)
    assert reply(calling_peer, **{"from": "+16505551234"}, text="START") == 200
    assert dict(parse_qsl(product.at("/twilio", 2)[1][1].decode()))["OptOutType"] == "START"
    assert calling_peer.twilio(text()).status_code == 201


def test_an_ordinary_answer_is_told_without_an_opt_out(calling_peer: Peer, product: Product) -> None:
    assert reply(calling_peer, **{"from": "+16505551234"}, text="Please stop all this") == 200
    form = dict(parse_qsl(product.at("/twilio", 1)[0][1].decode()))
    assert "OptOutType" not in form
    assert form["Body"] == "Please stop all this"


def test_twilios_own_client_can_send(peer: Peer) -> None:
    client = Client(TWILIO_SID, TWILIO_TOKEN)
    client.http_client = _Redirected(peer.url)
    message = client.messages.create(to="+16505551234", from_=TWILIO_NUMBER, body="Hello")
    assert (message.status, message.num_segments) == ("queued", "1")
    assert [number.phone_number for number in client.incoming_phone_numbers.list(limit=1)] == [TWILIO_NUMBER]


@pytest.mark.skipif(not CHROMIUM and "CI" not in os.environ, reason="chromium is not installed")
def test_the_page_shows_a_phone_that_can_answer(calling_peer: Peer, product: Product) -> None:
    calling_peer.twilio(text(Body="Stromausfall: <b>Seehof</b> https://wedsync.example/acknowledge/x"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 360, "height": 800})
        page.goto(f"{calling_peer.url}/?service=twilio")
        phone = page.get_by_label("Text messages to +16505551234")
        expect(phone.locator(".bubble")).to_contain_text("<b>Seehof</b>")
        expect(phone.get_by_role("link")).to_have_attribute("href", "https://wedsync.example/acknowledge/x")
        expect(phone.locator(".cost")).to_contain_text("GSM-7 · 1 segment")
        phone.get_by_role("textbox").fill("On my way")
        phone.get_by_label("Send").click()
        expect(page.locator("#notice")).to_contain_text("accepted it (200)")
        expect(phone.locator(".bubble.own")).to_have_text("On my way")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        if "SANDBOX_SHOT" in os.environ:
            page.screenshot(path=os.environ["SANDBOX_SHOT"])
        browser.close()
    until(lambda: product.received)


class _Redirected:
    """Twilio's own HTTP client asks this for its answers: the same requests, to the sandbox's address."""

    def __init__(self, base: str) -> None:
        self._base = base

    def request(self, method: str, url: str, params: Any = None, data: Any = None, auth: Any = None, **_: Any) -> Any:
        sent = url.replace("https://api.twilio.com", f"{self._base}/twilio")
        return requests.request(method, sent, params=params, data=data, auth=auth, timeout=10)
