"""Staff look into receipts and process them again, one or many, inside their organization."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.test import Client

from integrations.models import Connection
from integrations.signatures.base import MALFORMED, MISMATCH, MISSING, OUTSIDE_WINDOW
from tests import factories
from tests.wedsync.admin.conftest import House
from webhooks.admin import receipts
from webhooks.callbacks.storing import UNREADABLE
from webhooks.models import Receipt
from wedsync.live.fan_out import hints
from wedsync.live.models import ChannelEvent
from wedsync.queues import QUEUE_PREFIX
from wedsync.weddings.models import Membership

SignIn = Callable[..., Client]
Role = Membership.Role
LIST = "/admin/webhooks/receipt/"


def receipt(house: House, external_id: str = "vm_1", capacity: object = 180, **rest: Any) -> Receipt:
    """Rejected then, and good by now unless ``capacity`` is no number."""
    envelope = {
        "id": external_id,
        "eventType": "capacity.updated",
        "timestamp": "2026-06-19T10:00:00+02:00",
        "payload": {"max_capacity": capacity},
    }
    made: Receipt = factories.ReceiptFactory(
        **{
            "organization": house.organization,
            "connection": house.rows[Connection],
            "verdict": "rejected",
            "signed": True,
            "slug": "schema-violation",
            "external_id": external_id,
            "body": json.dumps(envelope).encode(),
        }
        | rest
    )
    return made


def page(row: Receipt, name: str = "reprocess") -> str:
    return f"{LIST}{row.pk}/{name}/"


def chosen(*rows: Receipt, **answers: str) -> dict[str, Any]:
    found = {"action": "reprocess_selected", "index": "0", "_selected_action": [str(row.pk) for row in rows]}
    return found | answers


@pytest.fixture
def client(ours: House, sign_in: SignIn) -> Client:
    return sign_in(ours, role=Role.SUPPORT)


def verdict(row: Receipt) -> str:
    row.refresh_from_db()
    return row.verdict


def test_a_page_shows_what_came_and_what_was_wrong(client: Client, ours: House) -> None:
    connection = ours.rows[Connection]
    older = connection.secrets.get()
    row = receipt(
        ours,
        capacity="<b>many</b>",
        errors=[{"field": "capacity", "reason": "must be a <number>"}],
        headers={"user-agent": "VenueMaster/2"},
        older_secret_id=older.pk,
        body_size=9_000,
        remote_address="203.0.113.7",
    )

    text = client.get(page(row, "change")).content.decode()

    for shown in ("schema-violation", "must be a &lt;number&gt;", "VenueMaster/2", "203.0.113.7", str(older)):
        assert shown in text
    assert "&lt;b&gt;many&lt;/b&gt;" in text
    assert "9000 bytes, the first" in text
    assert older.sealed not in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"verdict__exact": "rejected"}, True),
        ({"verdict__exact": "accepted"}, False),
        ({"slug": "schema-violation"}, True),
        ({"slug": "not-json"}, False),
        ({"signed__exact": "1"}, True),
        ({"connection__system__kind__exact": "venue_master"}, True),
        ({"connection__system__kind__exact": "shootq"}, False),
        ({"event_type": "capacity.updated"}, True),
        ({"event_type": "emergency.reported"}, False),
        ({"q": "vm_filtered"}, True),
        ({"q": "203.0.113.7"}, True),
    ],
)
def test_the_list_is_filtered_and_searched(query: dict[str, str], found: bool, client: Client, ours: House) -> None:
    row = receipt(ours, "vm_filtered", remote_address="203.0.113.7")

    assert (str(row.pk) in client.get(LIST, query).content.decode()) == found


def test_every_problem_that_a_request_can_meet_can_be_filtered_by() -> None:
    room = Path(receipts.__file__).parents[1]
    below = [room.parent / "wedsync" / "web" / name for name in ("request_bodies.py", "transfers.py")]
    sources = [path.read_text() for path in (*room.rglob("*.py"), *below)]
    named = {slug for text in sources for slug in re.findall(r'Problem\(\s*4\d\d,\s*"([a-z-]+)"', text)}
    of_signatures = {MISSING, MALFORMED, MISMATCH, OUTSIDE_WINDOW}

    assert (named | of_signatures | {UNREADABLE}) - {"connection-unknown"} == set(receipts.SLUGS)


def test_one_receipt_is_judged_first_and_then_processed(client: Client, ours: House) -> None:
    row = receipt(ours)

    asked = client.get(page(row)).content.decode()
    assert "Becomes an event" in asked
    assert verdict(row) == "rejected"
    answer = client.post(page(row), follow=True)

    assert "Becomes an event" in answer.content.decode()
    assert verdict(row) == "accepted"
    assert ChannelEvent.objects.get(pk=row.pk).organization == ours.organization


def test_what_can_not_be_processed_has_no_button_to_press(client: Client, ours: House) -> None:
    row = receipt(ours, signed=False)

    asked = client.get(page(row))

    assert "Was not signed: never processed" in asked.content.decode()
    assert asked.context["button"] == ""
    client.post(page(row))
    assert verdict(row) == "rejected"


def test_many_are_counted_first_and_then_processed(client: Client, ours: House) -> None:
    rows = [receipt(ours, "vm_1"), receipt(ours, "vm_2"), receipt(ours, "vm_3", capacity="many")]

    asked = client.post(LIST, chosen(*rows))
    text = asked.content.decode()
    assert "2 ×" in text
    assert "Still rejected" in text
    assert [verdict(row) for row in rows] == ["rejected"] * 3
    answer = client.post(LIST, {**chosen(*rows), **dict(asked.context["hidden"][-2:])}, follow=True)

    assert "2 × becomes an event, which is routed; 1 × still rejected" in answer.content.decode()
    assert [verdict(row) for row in rows] == ["accepted", "accepted", "rejected"]
    assert "Reprocessed with others" in client.get(page(rows[0], "history")).content.decode()


@pytest.fixture
def low_queue() -> Iterator[str]:
    key = f"{QUEUE_PREFIX}low"
    broker = redis.Redis.from_url(settings.BROKER_URL)
    broker.delete(key)
    yield "low"
    broker.delete(key)


def test_more_than_a_page_can_wait_for_goes_to_the_low_queue_in_pieces(
    client: Client, ours: House, low_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "AT_ONCE", 3)
    monkeypatch.setattr(receipts, "A_TASK", 2)
    rows = [receipt(ours, f"vm_{number}") for number in range(5)]

    answer = client.post(LIST, chosen(*rows, answered="yes"), follow=True)

    assert "5 receipts are being reprocessed in the background" in answer.content.decode()
    assert (hints.queue_lengths() or {})["low"] == 3
    assert verdict(rows[0]) == "rejected"


def test_too_many_at_once_are_refused(client: Client, ours: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.admin.buttons.MOST_AT_ONCE", 1)
    rows = [receipt(ours, "vm_1"), receipt(ours, "vm_2")]

    answer = client.post(LIST, chosen(*rows, answered="yes"), follow=True)

    assert "Choose at most 1 at a time" in answer.content.decode()
    assert verdict(rows[0]) == "rejected"


def test_another_organizations_receipts_are_not_processed(
    ours: House, theirs: House, sign_in: SignIn, client: Client
) -> None:
    row = receipt(theirs)

    assert client.get(page(row)).status_code == 404
    assert client.post(page(row)).status_code == 404
    client.post(LIST, chosen(row, answered="yes"))
    client.post(LIST, chosen(receipt(ours), answered="yes", select_across="1"))
    assert verdict(row) == "rejected"


def test_the_role_counts_where_the_receipt_is(ours: House, theirs: House, sign_in: SignIn) -> None:
    client = sign_in(ours, role=Role.SUPPORT)
    Membership.objects.create(
        user_id=int(client.session["_auth_user_id"]), organization=theirs.organization, role=Role.PLANNER
    )
    mine, foreign = receipt(ours), receipt(theirs)

    assert "/reprocess/" not in client.get(page(foreign, "change")).content.decode()
    assert client.post(page(foreign)).status_code == 404
    client.post(LIST, chosen(mine, foreign, answered="yes"))

    assert (verdict(mine), verdict(foreign)) == ("accepted", "rejected")
