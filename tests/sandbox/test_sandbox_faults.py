"""Each way to fail, as a client feels it."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from tests.polling import until
from tests.sandbox.sandbox_peer import TIMELINE, Peer, email, template


def post(peer: Peer, **options: Any) -> requests.Response:
    return peer.vendor("POST", "/bookings/timeline", TIMELINE, **options)


def test_status_lasts_for_its_count_and_says_when_to_retry(peer: Peer) -> None:
    peer.fault("studio_cloud", "status", status=429, retry_after=7, count=2)
    answers = [post(peer) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert len(peer.messages("studio_cloud")) == 1
    log = peer.request_log("studio_cloud")
    assert (log["counts"]["total"], log["counts"]["429"], log["counts"]["faults"]) == (3, 2, 2)
    assert [row["fault"] for row in log["rows"]] == ["status", "status", None]


def test_status_speaks_each_services_own_language(peer: Peer) -> None:
    for service in ("whatsapp", "slack", "resend"):
        peer.fault(service, "status", status=429)
    assert peer.whatsapp(template("Anna", "16:00")).json()["error"]["code"] == 130429
    assert peer.slack({"text": "x"}).text == "rate_limited"
    assert peer.resend(email()).json()["name"] == "rate_limit_exceeded"
    peer.fault("whatsapp", "status", status=400, code=131026)
    peer.fault("slack", "status", status=410)
    peer.fault("resend", "status", status=429, code="daily_quota_exceeded")
    assert peer.whatsapp(template("Anna", "16:00")).json()["error"]["code"] == 131026
    assert peer.slack({"text": "x"}).text == "channel_is_archived"
    assert peer.resend(email()).json()["name"] == "daily_quota_exceeded"


@pytest.mark.parametrize(
    ("service", "code", "status"),
    [
        ("slack", "invalid_blocks", 400),
        ("slack", "invalid_token", 403),
        ("slack", "no_active_hooks", 404),
        ("slack", "channel_is_archived", 410),
        ("slack", "rate_limited", 429),
        ("slack", "rollup_error", 500),
        ("slack", "no word of Slack's", 503),
        ("resend", "daily_quota_exceeded", 429),
        ("resend", "concurrent_idempotent_requests", 409),
        ("resend", "application_error", 500),
        ("whatsapp", 131056, 429),
        ("whatsapp", 132001, 404),
        ("whatsapp", 131016, 500),
        ("studio_cloud", "anything", 503),
    ],
)
def test_a_known_code_brings_its_status(peer: Peer, service: str, code: int | str, status: int) -> None:
    peer.fault(service, "status", code=code)
    answers = {
        "slack": lambda: peer.slack({"text": "x"}),
        "resend": lambda: peer.resend(email()),
        "whatsapp": lambda: peer.whatsapp(template("Anna", "16:00")),
        "studio_cloud": lambda: post(peer),
    }
    answer = answers[service]()
    assert answer.status_code == status
    assert str(code) in answer.text
    assert ("Retry-After" in answer.headers) == (code == "rate_limited")


def test_one_webhook_of_slack_can_fail_alone(peer: Peer) -> None:
    peer.fault("slack", "status", code="channel_is_archived", path="/slack/services/T01/B02")
    peer.fault("slack", "status", code="no_active_hooks", path="/slack/services/T01/B03")
    assert peer.slack({"text": "x"}).text == "channel_is_archived"
    assert peer.slack({"text": "x"}, path="T01/B03/other").text == "no_active_hooks"


def test_the_same_key_while_the_first_is_under_way_is_409(peer: Peer) -> None:
    peer.fault("resend", "latency", seconds=600, count=1)
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{peer.url}/resend/emails",
            json=email(),
            headers={"Authorization": "Bearer re_key", "Idempotency-Key": "slow"},
            timeout=0.3,
        )
    answer = peer.resend(email(), Idempotency_Key="slow")
    assert (answer.status_code, answer.json()["name"]) == (409, "concurrent_idempotent_requests")
    assert peer.resend(email(), Idempotency_Key="another").status_code == 200


def test_a_redirect_has_a_location(peer: Peer) -> None:
    peer.fault("slack", "status", status=302)
    answer = requests.post(f"{peer.url}/slack/services/x", json={}, allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/_/healthz")


def test_latency_delays_and_then_goes_on(peer: Peer) -> None:
    peer.fault("studio_cloud", "latency", seconds=0.4)
    started = time.monotonic()
    assert post(peer).status_code == 200
    assert time.monotonic() - started >= 0.4


def test_hang_never_answers_but_is_counted_at_once(peer: Peer) -> None:
    peer.fault("studio_cloud", "hang", count=1)
    with pytest.raises(requests.ReadTimeout):
        post(peer, timeout=0.3)
    assert peer.request_log("studio_cloud")["counts"]["total"] == 1
    until(lambda: peer.request_log("studio_cloud")["counts"].get("unanswered") == 1)
    assert peer.messages("studio_cloud") == []


def test_reset_breaks_the_connection(peer: Peer) -> None:
    peer.fault("studio_cloud", "reset", count=1)
    with pytest.raises(requests.ConnectionError, match="reset"):
        post(peer)
    assert post(peer).status_code == 200


def test_reset_after_loses_only_the_answer(peer: Peer) -> None:
    peer.fault("studio_cloud", "reset", count=1, after=True)
    with pytest.raises(requests.ConnectionError):
        post(peer, Idempotency_Key="lost")
    assert post(peer, Idempotency_Key="lost").status_code == 200
    assert len(peer.messages("studio_cloud")) == 1


def test_flap_fails_every_other_request(peer: Peer) -> None:
    peer.fault("studio_cloud", "flap", status=500)
    assert [post(peer).status_code for _ in range(4)] == [500, 200, 500, 200]


def test_ratio_hits_a_share(peer: Peer) -> None:
    peer.fault("webhook", "status", ratio=0.5)
    with requests.Session() as session:
        url = f"{peer.url}/webhook/a"
        statuses = [session.post(url, json={}, timeout=10).status_code for _ in range(200)]
    # 200 fair coins stay between 60 and 140 but for one run in 10^8.
    assert 60 <= statuses.count(503) <= 140
    assert statuses.count(200) == 200 - statuses.count(503)


def test_a_new_fault_replaces_the_old_one_and_delete_ends_all(peer: Peer) -> None:
    peer.fault("slack", "status", status=500)
    peer.fault("slack", "status", status=404)
    assert peer.slack({"text": "x"}).text == "no_service"
    [listed] = peer.get("/_/faults").json()["faults"]
    assert (listed["service"], listed["status"], listed["seen"], listed["hits"]) == ("slack", 404, 1, 1)
    requests.delete(f"{peer.url}/_/faults", timeout=10)
    assert peer.slack({"text": "x"}).status_code == 200
    assert peer.get("/_/faults").json() == {"faults": []}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"service": "slack", "mode": "explode"}, "mode"),
        ({"service": "fax", "mode": "hang"}, "service"),
        ({"mode": "hang"}, "service"),
        ({"service": "slack", "mode": "status", "status": 200}, "status"),
        ({"service": "slack", "mode": "status", "status": "503"}, "status"),
        ({"service": "slack", "mode": "status", "ratio": 0}, "ratio"),
        ({"service": "slack", "mode": "status", "ratio": 1.5}, "ratio"),
        ({"service": "slack", "mode": "status", "count": 0}, "count"),
        ({"service": "slack", "mode": "latency", "seconds": -1}, "seconds"),
        ({"service": "slack", "mode": "hang", "typo": 1}, "typo"),
        ([], "object"),
    ],
)
def test_a_mistaken_fault_is_400_and_names_the_place(peer: Peer, body: Any, place: str) -> None:
    answer = requests.post(f"{peer.url}/_/faults", json=body, timeout=10)
    assert answer.status_code == 400
    assert place in answer.json()["error"]
    assert peer.get("/_/faults").json() == {"faults": []}


def test_a_hanging_request_does_not_keep_the_sandbox_from_ending(home: Any) -> None:
    peer = Peer(home)
    peer.fault("studio_cloud", "hang")
    with requests.Session() as session, pytest.raises(requests.ReadTimeout):
        session.post(f"{peer.url}/studio_cloud/bookings", timeout=0.1)
    started = time.monotonic()
    peer.stop()
    assert time.monotonic() - started < 3
