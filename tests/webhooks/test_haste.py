"""Bodies written in haste, or by libraries with habits of their own, are taken at every vendor's door."""

import asyncio
import json
from typing import Any

import pytest

from integrations.vendors import VENDORS
from tests.senders import Answer, Sender, make_sender
from tests.webhooks.asking import opened, post
from webhooks.models import DedupId, Receipt
from wedsync.live.models import ChannelEvent

pytestmark = pytest.mark.usefixtures("committed")
every_vendor = pytest.mark.parametrize("slug", VENDORS)
BOM = b"\xef\xbb\xbf"


def answers(sender: Sender, *bodies: bytes) -> list[Answer]:
    async def play() -> list[Answer]:
        async with opened() as door_in:
            return [await post(door_in, sender, body) for body in bodies]

    return asyncio.run(play())


def emergency(sender: Sender, payload: dict[str, Any], **rest: Any) -> bytes:
    envelope = sender.envelope(**{"eventType": "venue.emergency_reported", **rest})
    envelope["payload"] = payload
    return json.dumps(envelope).encode()


@every_vendor
def test_a_byte_order_mark_is_taken_and_kept(slug: str) -> None:
    sender = make_sender(0, slug)
    body = BOM + sender.body()

    first, again = answers(sender, body, body)

    assert (first.outcome, again.outcome) == ((202, "accepted"), (200, "duplicate"))
    assert bytes(Receipt.objects.get(connection=sender.connection).body) == body


@every_vendor
def test_a_number_as_the_envelopes_id_is_taken_as_its_digits(slug: str) -> None:
    sender = make_sender(0, slug)
    body = sender.body(id=1029)

    first, again = answers(sender, body, body)

    assert (first.outcome, again.outcome) == ((202, "accepted"), (200, "duplicate"))
    assert DedupId.objects.get(connection=sender.connection).external_id == "1029"


@every_vendor
@pytest.mark.parametrize(
    "payload",
    [
        {"contact_phone": "", "location_name": " ", "booking_id": ""},
        {"contact_phone": 436601234567, "kind": 7, "description": ["No light"], "reported_by": True},
        {"description": "x" * 10_001, "kind": "y" * 300},
        {"wedding_id": "BK-77"},
        {},
    ],
    ids=["blank", "wrong types", "too long", "a foreign wedding_id", "nothing"],
)
@pytest.mark.parametrize("name", ["venue.emergency_reported", "EMERGENCY.REPORTED"])
def test_an_emergency_is_taken_whatever_its_values_are(slug: str, payload: dict[str, Any], name: str) -> None:
    sender = make_sender(0, slug)

    (answer,) = answers(sender, emergency(sender, payload, eventType=name))

    assert answer.outcome == (202, "accepted")
    event = ChannelEvent.objects.get(organization=sender.connection.organization_id)
    assert (event.type, event.priority) == ("venue.emergency_reported", "urgent")


@every_vendor
def test_an_event_older_than_a_year_is_refused_like_one_from_the_future(slug: str) -> None:
    sender = make_sender(0, slug)

    bodies = [sender.body(timestamp=time) for time in ("2019-06-19T10:00:00Z", "2099-01-01T00:00:00Z")]
    old, ahead = answers(sender, *bodies)

    assert (old.outcome, ahead.outcome) == ((400, "bad-envelope"), (400, "bad-envelope"))
    assert "old" in old.json["detail"]
