"""The control API, the configuration file, and what survives a restart."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.sandbox.sandbox_peer import REPOSITORY, TIMELINE, Peer, configuration, email, running, template


def test_a_cursor_shows_only_what_is_new(peer: Peer) -> None:
    start = peer.get("/_/messages").json()["cursor"]
    peer.slack({"text": "one"})
    first = peer.get(f"/_/messages?since={start}").json()
    peer.slack({"text": "two"})
    second = peer.get(f"/_/messages?since={first['cursor']}").json()
    assert [message["text"] for message in first["messages"]] == ["one"]
    assert [message["text"] for message in second["messages"]] == ["two"]
    assert second["cursor"] > first["cursor"] > start
    empty = peer.get(f"/_/messages?since={second['cursor']}").json()
    assert empty == {"messages": [], "cursor": second["cursor"]}


def test_a_message_has_the_published_fields(peer: Peer) -> None:
    peer.resend(email())
    [message] = peer.messages("resend")
    published = {"id", "service", "received_at", "to", "text", "html", "headers", "body"}
    assert published <= set(message)
    assert all(name == name.lower() for name in message["headers"])
    assert message["received_at"].endswith("Z")


def test_messages_are_filtered_searched_and_limited(peer: Peer) -> None:
    for text in ("50% of guests", "50 guests", "none"):
        peer.slack({"text": text})
    peer.resend(email())

    def texts(query: str) -> list[str]:
        return [message["text"] for message in peer.get(f"/_/messages?{query}").json()["messages"]]

    assert texts("service=slack&q=GUESTS") == ["50% of guests", "50 guests"]
    assert texts("q=50%25") == ["50% of guests"]
    assert texts("limit=2") == ["50% of guests", "50 guests"]
    page = peer.get("/_/messages?limit=2").json()
    assert len(peer.get(f"/_/messages?since={page['cursor']}").json()["messages"]) == 2


def test_deleting_messages_never_turns_the_cursor_back(peer: Peer) -> None:
    peer.slack({"text": "x"})
    before = peer.get("/_/messages").json()["cursor"]
    assert requests.delete(f"{peer.url}/_/messages", timeout=10).json() == {"deleted": 1}
    assert peer.get("/_/messages").json() == {"messages": [], "cursor": before}


@pytest.mark.parametrize("query", ["service=fax", "since=-1", "since=x", "limit=x"])
def test_a_mistaken_query_is_400(peer: Peer, query: str) -> None:
    answer = peer.get(f"/_/messages?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(query.partition("=")[0])


def test_failed_calls_are_counted_too(peer: Peer) -> None:
    peer.whatsapp(template("Anna", "16:00"), token="wrong")
    peer.vendor("POST", "/bookings/timeline", TIMELINE, Idempotency_Key="key-1")
    assert peer.request_log("whatsapp")["counts"] == {"401": 1, "total": 1}
    [row] = peer.request_log("studio_cloud")["rows"]
    assert (row["method"], row["path"], row["status"]) == ("POST", "/bookings/timeline", 200)
    assert (row["idempotency_key"], row["fault"]) == ("key-1", None)


def test_the_request_log_keeps_the_last_200_and_counts_all(peer: Peer) -> None:
    with requests.Session() as session:
        for _ in range(205):
            session.post(f"{peer.url}/webhook/a", json={}, timeout=10)
    log = peer.request_log("webhook")
    assert (log["counts"]["total"], len(log["rows"])) == (205, 200)


def test_no_token_is_ever_logged(peer: Peer) -> None:
    peer.whatsapp(template("Anna", "16:00"))
    peer.resend(email())
    peer.vendor("POST", "/bookings/timeline", TIMELINE)
    written = json.dumps(peer.log) + json.dumps(peer.get("/_/messages").json()) + peer.get("/").text
    assert not [secret for secret in ("EAAG-token", "re_key", "vendor-token") if secret in written]
    assert (peer.home / "sandbox.sqlite3").exists()


def test_other_origins_may_not_steer_it(peer: Peer) -> None:
    fault = {"service": "slack", "mode": "hang"}
    foreign = {"Origin": "https://evil.example"}
    answer = requests.post(f"{peer.url}/_/faults", json=fault, headers=foreign, timeout=10)
    assert answer.status_code == 403
    own = {"Origin": peer.url}
    assert requests.post(f"{peer.url}/_/faults", json=fault, headers=own, timeout=10).status_code == 201


def test_messages_keys_and_windows_survive_a_restart(home: Path) -> None:
    with running(home) as peer:
        first = peer.resend(email(), Idempotency_Key="kept").json()
        peer.vendor("POST", "/bookings/timeline", TIMELINE, Idempotency_Key="kept")
        reply = {"service": "whatsapp", "from": "+16505551234", "text": "Hello?"}
        requests.post(f"{peer.url}/_/replies", json=reply, timeout=10)
        cursor = peer.get("/_/messages").json()["cursor"]
    with running(home) as peer:
        assert peer.resend(email(), Idempotency_Key="kept").json() == first
        assert peer.resend(email(subject="Other"), Idempotency_Key="kept").status_code == 409
        assert peer.vendor("POST", "/bookings/timeline", TIMELINE, Idempotency_Key="kept").status_code == 200
        text = {"messaging_product": "whatsapp", "to": "+16505551234", "type": "text", "text": {"body": "See you"}}
        assert peer.whatsapp(text).status_code == 200
        assert peer.get("/_/messages").json()["cursor"] == cursor + 1
        assert [len(peer.messages(service)) for service in ("resend", "studio_cloud", "whatsapp")] == [1, 1, 1]


def test_a_changed_configuration_is_read_again(home: Path) -> None:
    with running(home) as peer:
        changed = configuration()
        changed["shootq"] = changed["studio_cloud"]
        assert peer.vendor("POST", "/bookings/timeline", TIMELINE, "shootq").status_code == 404
        replacement = home / "new.json"
        replacement.write_text(json.dumps(changed))
        replacement.replace(home / "sandbox.json")
        assert peer.vendor("POST", "/bookings/timeline", TIMELINE, "shootq").status_code == 200


def test_a_broken_change_is_reported_and_the_last_good_one_stays(home: Path) -> None:
    with running(home) as peer:
        (home / "sandbox.json").write_text('{"slack": {"webhooks": [{"path": 5}]}}')
        assert peer.slack({"text": "x"}).status_code == 200
        error = peer.get("/_/healthz").json()["config_error"]
        assert "slack.webhooks.0.path" in error
        assert "slack.webhooks.0.path" in peer.get("/").text


@pytest.mark.parametrize(("text", "expected"), [(None, "sandbox.json"), ("{", "not JSON"), ("[]", "the file")])
def test_it_does_not_start_without_a_configuration(tmp_path: Path, text: str | None, expected: str) -> None:
    if text is not None:
        (tmp_path / "sandbox.json").write_text(text)
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--home", str(tmp_path)]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 2
    assert expected in json.loads(ended.stderr)["error"]
