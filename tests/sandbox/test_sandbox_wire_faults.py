"""Answers that break or never end, faults of one path, and the tally of ids."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.services.receiver import Receiver
from sandbox.storage.messages import Filter
from sandbox.wire import Call
from sandbox.world import open_world
from tests.polling import until
from tests.sandbox.sandbox_peer import TIMELINE, VENDOR_TOKEN, Peer


def raw(peer: Peer, path: str = "/webhook/a", key: str = "k-1") -> socket.socket:
    """A connection that has sent a whole request."""
    connection = socket.create_connection(("127.0.0.1", peer.port), timeout=5)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nIdempotency-Key: {key}\r\n\r\n"
    connection.sendall(head.encode() + b"{}")
    return connection


def read(connection: socket.socket, size: int) -> bytes:
    """At least so many bytes."""
    found = b""
    while len(found) < size:
        piece = connection.recv(65536)
        if not piece:
            break
        found += piece
    return found


def test_dripped_headers_come_byte_by_byte_and_never_end(peer: Peer) -> None:
    peer.fault("webhook", "drip_headers", seconds=0.01)
    with raw(peer) as connection:
        begun = read(connection, 60)
    assert begun.startswith(b"HTTP/1.1 200 OK\r\nX-Patience: aaa")
    assert b"\r\n\r\n" not in begun
    until(lambda: peer.request_log("webhook")["counts"].get("unanswered") == 1)


def test_a_dripped_body_has_good_headers_and_never_ends(peer: Peer) -> None:
    peer.fault("webhook", "drip_body", seconds=0.01)
    with requests.post(f"{peer.url}/webhook/a", json={}, stream=True, timeout=5) as answer:
        assert answer.status_code == 200
        pieces = answer.iter_content(1)
        assert [next(pieces) for _ in range(20)] == [b" "] * 20


def test_an_endless_body_is_more_than_anybody_wants(peer: Peer) -> None:
    peer.fault("webhook", "endless_body")
    with raw(peer) as connection:
        assert len(read(connection, 2_000_000)) >= 2_000_000
    until(lambda: peer.request_log("webhook")["counts"].get("unanswered"))  # a dripping one of before may end now too
    assert peer.get("/_/healthz").status_code == 200


def test_a_silent_close_ends_the_connection_without_a_word(peer: Peer) -> None:
    peer.fault("webhook", "silent_close")
    with raw(peer) as connection:
        assert read(connection, 1) == b""  # an orderly end, and not a reset


def test_what_was_taken_before_the_answer_was_spoiled_counts_as_taken(peer: Peer) -> None:
    for mode in ("silent_close", "drip_headers", "drip_body", "endless_body", "reset"):
        peer.fault("webhook", mode, after=True, seconds=0.01)
        raw(peer, key=mode).close()
        until(lambda mode=mode: peer.get("/_/tally?service=webhook").json()["tally"].get(mode, {}).get("taken") == 1)
    assert len(peer.messages("webhook")) == 5


def test_a_fault_of_one_path_leaves_the_others_and_the_narrowest_counts(peer: Peer) -> None:
    def status(path: str) -> int:
        return requests.post(f"{peer.url}{path}", json={}, timeout=5).status_code

    peer.fault("webhook", "status", path="/webhook/a", status=410)
    peer.fault("webhook", "status", path="/webhook/a/deeper", status=429, retry_after=2)
    assert [status(f"/webhook/{name}") for name in ("a", "a/x", "a/deeper", "ab", "b")] == [410, 410, 429, 200, 200]
    peer.fault("webhook", "status", status=500)
    assert [status(f"/webhook/{name}") for name in ("a", "b")] == [410, 500]
    listed = {fault["path"]: fault["hits"] for fault in peer.get("/_/faults").json()["faults"]}
    assert listed == {"": 1, "/webhook/a": 3, "/webhook/a/deeper": 1}

    requests.delete(f"{peer.url}/_/faults?service=webhook&path=/webhook/a", timeout=5)
    assert [status(f"/webhook/{name}") for name in ("a", "a/deeper")] == [500, 429]
    requests.delete(f"{peer.url}/_/faults?service=webhook", timeout=5)
    assert [status(f"/webhook/{name}") for name in ("a", "a/deeper", "b")] == [200, 200, 200]


def test_a_fault_of_one_path_can_fail_a_vendors_one_call(peer: Peer) -> None:
    peer.fault("studio_cloud", "status", path="/studio_cloud/clients", status=500)
    assert peer.vendor("POST", "/clients", {"name": "A"}).status_code == 500
    assert peer.vendor("POST", "/bookings/timeline", TIMELINE).status_code == 200


@pytest.mark.parametrize("path", ["webhook/a", "/webhook/a/", "/slack/x", "/webhook?x"])
def test_a_path_that_is_none_of_the_services_is_refused(path: str, peer: Peer) -> None:
    answer = requests.post(f"{peer.url}/_/faults", json={"service": "webhook", "mode": "hang", "path": path}, timeout=5)
    assert answer.status_code == 400
    assert "path" in answer.json()["error"]


def post(peer: Peer, key: str, body: object, path: str = "/webhook/load") -> int:
    return requests.post(f"{peer.url}{path}", json=body, headers={"Idempotency-Key": key}, timeout=5).status_code


def test_the_tally_counts_each_id_with_what_arrived_and_what_was_taken(peer: Peer) -> None:
    post(peer, "a", {"n": 1})
    post(peer, "a", {"n": 1})
    post(peer, "b", {"n": 1})
    post(peer, "b", {"n": 2})
    peer.fault("webhook", "status", count=1)
    post(peer, "c", {"n": 1}, "/webhook/other")
    requests.post(f"{peer.url}/webhook/load", json={}, timeout=5)

    whole = peer.get("/_/tally?service=webhook").json()
    tally = whole.pop("tally")
    assert whole == {
        "ids": 3,
        "received": 5,
        "taken": 4,
        "taken_ids": 2,
        "repeated_ids": 2,
        "taken_again_ids": 2,
        "changed_ids": 1,
        "without_id": 1,
        "beyond": 0,
    }
    assert {key: (each["received"], each["taken"], each["bodies"]) for key, each in tally.items()} == {
        "a": (2, 2, 1),
        "b": (2, 2, 2),
        "c": (1, 0, 1),
    }
    assert tally["a"]["first"] <= tally["a"]["last"]
    of_path = peer.get("/_/tally?service=webhook&path=/webhook/load&summary=1").json()
    assert (of_path["ids"], "tally" in of_path) == (2, False)
    requests.delete(f"{peer.url}/_/tally?service=webhook", timeout=5)
    assert peer.get("/_/tally?service=webhook").json()["ids"] == 0


def test_a_receiver_keeps_the_newest_thousand_messages(home: Path) -> None:
    world = open_world(home)
    receiver = Receiver(world)
    for number in range(1450):
        assert receiver.answer(Call("POST", "/load", {}, {}, b"%d" % number)).status == 200

    kept = [message.body for message in world.messages.oldest_first(Filter(["webhook"]))]
    world.connection.close()

    assert kept == list(range(kept[0], 1450))
    assert 1000 <= len(kept) < 1250


def clients(peer: Peer, **query: Any) -> requests.Response:
    return peer.get("/studio_cloud/clients", params=query, headers={"Authorization": f"Bearer {VENDOR_TOKEN}"})


def test_clients_are_listed_in_the_order_of_their_last_change_behind_a_cursor(peer: Peer) -> None:
    records = [{"id": f"C-{number}", "name": str(number)} for number in range(5)]
    for batch in (records, [{"id": "C-1", "phone": "+1"}]):
        body = {"service": "studio_cloud", "kind": "client", "records": batch}
        assert requests.post(f"{peer.url}/_/records", json=body, timeout=5).status_code == 201

    first = clients(peer, limit=3).json()
    second = clients(peer, limit=3, cursor=first["cursor"]).json()
    third = clients(peer, limit=3, cursor=second["cursor"]).json()

    assert [each["id"] for each in first["clients"]] == ["C-0", "C-2", "C-3"]
    assert [each["id"] for each in second["clients"]] == ["C-4", "C-1"]
    assert (first["more"], second["more"]) == (True, False)
    assert (third["clients"], third["cursor"]) == ([], second["cursor"])
    since = clients(peer, updated_since=second["clients"][0]["updated_at"]).json()
    assert [each["id"] for each in since["clients"]] == ["C-4", "C-1"]
    for wrong in ({"cursor": "xyz"}, {"limit": "0"}, {"limit": "1000"}, {"updated_since": "yesterday"}):
        assert clients(peer, **wrong).status_code == 422


def test_a_setup_and_a_cancelled_booking_are_taken_by_venues(peer: Peer) -> None:
    def status(method: str, path: str, body: dict[str, str]) -> int:
        return peer.vendor(method, path, body, "venue_master").status_code

    assert status("POST", "/events/BK-7/setup", {"kind": "setup", "space": "Hall"}) == 200
    assert status("POST", "/events/BK-7/setup", {"space": "Hall"}) == 422
    assert status("PATCH", "/bookings/BK-7", {"status": "cancelled"}) == 200
    kept = peer.get("/_/records?service=venue_master&kind=booking").json()["records"]
    assert [(each["id"], each["status"]) for each in kept] == [("BK-7", "cancelled")]


def test_the_page_shows_a_calls_event_its_place_and_who_signed_it(peer: Peer) -> None:
    peer.vendor("PATCH", "/bookings/BK-7", {"id": "e1", "type": "booking.updated", "sequence": 12, "status": "held"})
    page = peer.get("/?service=systems").text
    assert "booking.updated" in page
    assert '<span class="count" title="sequence">12</span>' in page
    assert "<td>yes</td>" in page


def test_latency_of_one_receiver_delays_no_other(peer: Peer) -> None:
    peer.fault("webhook", "latency", path="/webhook/slow", seconds=30)
    with raw(peer, "/webhook/slow"):
        started = time.monotonic()
        assert post(peer, "x", {}, "/webhook/fast") == 200
        assert time.monotonic() - started < 20
