"""The receiver's answers, in the order of its checks, over HTTP."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from integrations.models import Connection, Route
from tests.live.world import World, signed
from tests.polling import until
from webhooks.models import Receipt
from wedsync.live.models import ChannelEvent


def slug(answer: requests.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["detail"]
    return str(body["type"]).removeprefix("/problems/")


def test_an_unknown_connection_is_404_whatever_else_is_wrong(world: World) -> None:
    base = f"{world.product.base_url}/api/webhooks/channel-events"
    for url in (base, f"{base}/", f"{base}/wsc_nobody", f"{base}/a/b", f"{base}/{'x' * 500}", f"{base}/%00"):
        answer = requests.get(url, timeout=5)
        assert (answer.status_code, slug(answer)) == (404, "connection-unknown")


def test_the_connection_may_stand_in_a_header(world: World) -> None:
    body = json.dumps(world.envelope("capacity.updated", {"max_capacity": 160})).encode()
    url = f"{world.product.base_url}/api/webhooks/channel-events"

    answer = requests.post(
        url, data=body, headers={**signed(body), "X-WedSync-Connection": world.connection.id}, timeout=5
    )

    assert answer.status_code == 202


def test_the_checks_come_in_their_order(world: World) -> None:
    unsigned = {"Content-Type": "text/plain"}
    answer = requests.get(world.url, headers=unsigned, timeout=5)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    large = requests.post(world.url, data=b"x" * (256 * 1024 + 1), headers=unsigned, timeout=5)
    assert (large.status_code, slug(large)) == (413, "body-too-large")
    typed = requests.post(world.url, data=b"{", headers=unsigned, timeout=5)
    assert (typed.status_code, slug(typed)) == (415, "unsupported-media-type")
    forged = requests.post(world.url, data=b"{", headers={"Content-Type": "application/json"}, timeout=5)
    assert (forged.status_code, slug(forged)) == (401, "signature-missing")


def test_the_largest_body_is_taken(world: World) -> None:
    envelope = world.envelope("capacity.updated", {"max_capacity": 160, "note": ""})
    room = 256 * 1024 - len(json.dumps(envelope))
    envelope["payload"]["note"] = "x" * room

    assert world.post(envelope).status_code == 202


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"not json", "not-json"),
        (b'{"id":"a","id":"b"}', "not-json"),
        (b'{"id":NaN}', "not-json"),
        (b"\xff", "not-json"),
        (b"[" * 40 + b"]" * 40, "not-json"),
        (b"[1]", "bad-envelope"),
        (b"{}", "bad-envelope"),
        (b'{"id":1}', "bad-envelope"),
    ],
)
def test_a_signed_body_that_is_no_envelope_is_400(world: World, body: bytes, problem: str) -> None:
    answer = world.post(body)

    assert (answer.status_code, slug(answer)) == (400, problem)


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"id": "x" * 201},
        {"id": 5.5},
        {"id": True},
        {"eventType": None},
        {"payload": []},
        {"timestamp": "2026-06-19T10:00:00"},
        {"timestamp": "yesterday"},
        {"timestamp": 1},
        {"timestamp": (datetime.now(UTC) + timedelta(hours=1)).isoformat()},
    ],
)
def test_a_bad_envelope_is_400_and_says_what_is_wrong(world: World, change: dict[str, Any]) -> None:
    answer = world.post({**world.envelope("capacity.updated", {"max_capacity": 1}), **change})

    assert (answer.status_code, slug(answer)) == (400, "bad-envelope")
    assert next(iter(change)) in answer.json()["detail"]


def test_a_broken_schema_names_the_field_and_leaves_the_id_free(world: World) -> None:
    envelope = world.envelope("capacity.updated", {"max_capacity": "many"})

    refused = world.post(envelope)
    corrected = world.post({**envelope, "payload": {**envelope["payload"], "max_capacity": 170}})

    assert (refused.status_code, slug(refused)) == (422, "schema-violation")
    assert refused.json()["errors"][0]["field"] == "capacity"
    assert corrected.status_code == 202


def test_nul_is_refused(world: World) -> None:
    answer = world.post(world.envelope("capacity.updated", {"max_capacity": 1, "reason": "a\x00b"}))

    assert (answer.status_code, slug(answer)) == (422, "schema-violation")


def test_an_unknown_type_is_kept_as_unrecognised(world: World) -> None:
    answer = world.post(world.envelope("chairs.counted", {"chairs": 3}))

    assert (answer.status_code, answer.json()["status"]) == (202, "unrecognised")
    assert Receipt.objects.get(id=answer.json()["id"]).verdict == "unrecognised"


def test_fifty_at_once_make_one_event(world: World) -> None:
    envelope = world.envelope("capacity.updated", {"max_capacity": 165})
    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(lambda _: world.post(envelope), range(50)))

    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [202]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert world.events().count() == 1


def test_a_paused_connection_stores_and_does_not_route(world: World) -> None:
    Connection.objects.filter(id=world.connection.id).update(state="paused")

    answer = world.capacity(166)

    assert answer.status_code == 202
    assert ChannelEvent.objects.get(id=answer.json()["id"]).routing == "held"


def test_a_disabled_connection_is_404(world: World) -> None:
    Connection.objects.filter(id=world.connection.id).update(state="disabled")

    until(lambda: world.capacity(167).status_code == 404, 5)

    assert slug(world.capacity(168)) == "connection-unknown"


def test_changes_from_all_sides_at_once_never_wait_for_each_other_in_a_circle(world: World) -> None:
    """Webhooks, the API and forms change one wedding: each takes the wedding first and the channels after it."""
    Route.objects.filter(organization=world.organization).update(active=False)  # nothing needs to go out

    def webhook(number: int) -> int:
        return world.post(world.envelope("guests.changed", {"headcount": 100 + number})).status_code

    def change(number: int) -> int:
        return world.patch(guest_count=200 + number, capacity=90 + number).status_code

    def form(number: int) -> int:
        url = f"{world.product.base_url}/api/forms/{world.form.id}/responses/"
        day = world.wedding.date + timedelta(days=number + 1)
        body = {"answers": {"new_date": day.isoformat()}}
        return requests.post(url, json=body, headers=world.headers, timeout=10).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: (webhook, change, form)[number % 3](number), range(60)))

    assert set(answers) == {202, 200, 201}
    assert "deadlock" not in (world.product.log("web") + world.product.log("worker"))
    until(lambda: not ChannelEvent.objects.filter(organization=world.organization, routing="pending").exists(), 20)
