"""The vendors' contract: token, signature, idempotency, and the table of operations."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.sandbox.sandbox_peer import TIMELINE, VENDOR_TOKEN, Peer


def test_a_signed_timeline_is_taken_and_shown(peer: Peer) -> None:
    answer = peer.vendor("POST", "/bookings/timeline", TIMELINE)
    assert (answer.status_code, answer.json()) == (200, {"id": "BK-7", "status": "accepted"})
    [message] = peer.messages("studio_cloud")
    assert message["to"] == "/bookings/timeline"
    assert message["body"] == TIMELINE
    assert "ceremony_time" in message["text"]
    assert message["headers"]["authorization"] == "[redacted]"


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({"Authorization": "Bearer wrong"}, "unauthorized"),
        ({"webhook_signature": "v1,AAAA"}, "invalid_signature"),
        ({"webhook_signature": ""}, "invalid_signature"),
        ({"webhook_timestamp": "1614265330"}, "invalid_signature"),
        ({"webhook_timestamp": "yesterday"}, "invalid_signature"),
    ],
)
def test_a_wrong_token_or_signature_is_401_and_stores_nothing(peer: Peer, headers: dict[str, Any], error: str) -> None:
    answer = peer.vendor("POST", "/bookings/timeline", TIMELINE, **headers)
    assert (answer.status_code, answer.json()["error"]) == (401, error)
    assert peer.messages("studio_cloud") == []


def test_one_good_signature_among_rotated_ones_is_enough(peer: Peer) -> None:
    accepted = peer.vendor("POST", "/bookings/timeline", TIMELINE)
    good = accepted.request.headers["webhook-signature"]
    stamp = accepted.request.headers["webhook-timestamp"]
    both = f"v1,AAAA {good!s}"
    again = peer.vendor("POST", "/bookings/timeline", TIMELINE, webhook_signature=both, webhook_timestamp=str(stamp))
    assert again.status_code == 200


def test_no_signature_is_needed_where_no_secret_is_configured(peer: Peer) -> None:
    answer = peer.vendor("POST", "/bookings", {"date": "2026-06-20"}, "party_rental", webhook_signature="")
    assert answer.status_code == 201
    assert answer.json()["id"].startswith("bo_")


def test_the_same_key_and_body_is_taken_once(peer: Peer) -> None:
    answers = [peer.vendor("POST", "/galleries", {"gallery_url": "x"}, Idempotency_Key="g-1") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(peer.messages("studio_cloud")) == 1
    assert peer.request_log("studio_cloud")["counts"]["201"] == 3


def test_the_same_key_with_another_body_or_path_is_409(peer: Peer) -> None:
    assert peer.vendor("POST", "/clients", {"name": "Anna"}, Idempotency_Key="c-1").status_code == 201
    assert peer.vendor("POST", "/clients", {"name": "Bo"}, Idempotency_Key="c-1").status_code == 409
    assert peer.vendor("PUT", "/clients/7", {"name": "Anna"}, Idempotency_Key="c-1").status_code == 409
    assert len(peer.messages("studio_cloud")) == 1


@pytest.mark.parametrize(
    ("method", "path", "vendor", "body", "status"),
    [
        ("PATCH", "/bookings/BK-1", "iris_works", {"status": "confirmed"}, 200),
        ("PUT", "/clients/C-1", "iris_works", {"email": "a@b.example"}, 200),
        ("PUT", "/events/BK-77/guest-count", "venue_master", {"guest_count": 120}, 200),
        ("PUT", "/events/BK-77/guest-count", "venue_master", {"guest_count": "120"}, 422),
        ("PUT", "/events/BK-77/guest-count", "venue_master", {"guest_count": True}, 422),
        ("POST", "/bookings/timeline", "iris_works", {"booking_id": "B"}, 422),
        ("POST", "/bookings/timeline", "venue_master", TIMELINE, 404),
        ("POST", "/events/BK-77/guest-count", "venue_master", {"guest_count": 1}, 405),
        ("POST", "/bookings", "venue_master", [], 400),
    ],
)
def test_the_table_of_operations(peer: Peer, method: str, path: str, vendor: str, body: object, status: int) -> None:
    answer = peer.vendor(method, path, body, vendor)
    assert answer.status_code == status, answer.text
    assert len(peer.messages(vendor)) == (status == 200)


def test_only_json_is_taken(peer: Peer) -> None:
    assert peer.vendor("POST", "/clients", {"name": "A"}, Content_Type="text/plain").status_code == 415


def test_half_a_surrogate_pair_is_not_json(peer: Peer) -> None:
    answer = peer.vendor("POST", "/clients", {"name": "\ud800"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_json")


def test_clients_are_found_by_email_after_they_were_written(peer: Peer) -> None:
    peer.vendor("PUT", "/clients/C-9", {"email": "Anna@couple.example", "name": "Anna"})
    headers = {"Authorization": f"Bearer {VENDOR_TOKEN}"}
    found = peer.get("/studio_cloud/clients?email=anna@couple.example", headers=headers).json()["clients"]
    assert [(client["id"], client["name"]) for client in found] == [("C-9", "Anna")]
    assert peer.get("/studio_cloud/clients?email=anna@couple.example").status_code == 401


def test_a_booked_day_is_not_available(peer: Peer) -> None:
    headers = {"Authorization": f"Bearer {VENDOR_TOKEN}"}
    query = "/venue_master/availability?date=2027-06-19&guests=120"
    assert peer.get(query, headers=headers).json()["available"] is True
    peer.vendor("POST", "/bookings", {"booking_id": "BK-1", "date": "2027-06-19"}, "venue_master")
    assert peer.get(query, headers=headers).json()["available"] is False


def test_a_service_that_is_not_configured_does_not_exist(peer: Peer) -> None:
    answer = peer.vendor("POST", "/bookings/timeline", TIMELINE, "shootq")
    assert answer.status_code == 404
    assert "sandbox.json" in answer.text


def test_the_generic_receiver_keeps_whatever_comes(peer: Peer) -> None:
    assert requests.post(f"{peer.url}/webhook/projects", json={"a": 1}, timeout=10).status_code == 200
    assert requests.post(f"{peer.url}/webhook/projects", data=b"not json", timeout=10).status_code == 200
    assert requests.get(f"{peer.url}/webhook/projects", timeout=10).status_code == 405
    assert [message["body"] for message in peer.messages("webhook")] == [{"a": 1}, "not json"]
    assert peer.messages("webhook")[0]["to"] == "/webhook/projects"
