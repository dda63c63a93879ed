"""A signed emergency that cannot be taken, or is held, alerts staff once, whatever happens to the processes between."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.models import Connection
from integrations.vendors import VENDORS
from notifications.incidents.emergency_reports import Trouble
from notifications.models import Incident
from tests.at_once import at_once
from tests.factories import ExternalReferenceFactory, WeddingFactory
from tests.senders import JSON, Answer, Sender, make_sender, moved
from tests.webhooks.asking import ask, opened, post
from webhooks.front_door import FrontDoor
from webhooks.models import Receipt
from webhooks.vendor_events import emergency_alarms
from webhooks.vendor_events.emergency_alarms import report_of, tell, tell_left
from wedsync.live.models import ChannelEvent

pytestmark = pytest.mark.usefixtures("committed")
Play = Callable[[FrontDoor], Awaitable[Answer]]
SAID = {
    "kind": "fire",
    "description": "In the cellar",
    "reported_by": "Tom",
    "contact_phone": 436601234567,
    "location_name": "Seehof",
    "booking_id": "BK-77",
}
every_vendor = pytest.mark.parametrize("slug", VENDORS)


def answers(*plays: Play) -> list[Answer]:
    async def play() -> list[Answer]:
        async with opened() as door_in:
            return [await each(door_in) for each in plays]

    return asyncio.run(play())


def body_of(sender: Sender, **rest: Any) -> bytes:
    envelope = sender.envelope(**{"id": "one", "eventType": "venue.emergency_reported", **rest})
    envelope["payload"] = rest.get("payload", SAID)
    return json.dumps(envelope).encode()


def posted(sender: Sender, *bodies: bytes) -> list[Answer]:
    return answers(*[lambda door, body=body: post(door, sender, body) for body in bodies])


def due(sender: Sender) -> list[Receipt]:
    return list(Receipt.objects.filter(connection=sender.connection, alarm="due").order_by("id"))


def incidents(sender: Sender) -> int:
    return Incident.objects.filter(organization=sender.connection.organization_id).count()


BROKEN: dict[str, Callable[[Sender], bytes]] = {
    "ahead": lambda s: body_of(s, timestamp=moved(days=-1)),
    "older than a year": lambda s: body_of(s, timestamp=moved(days=400)),
    "no time": lambda s: body_of(s, timestamp=None),
    "NUL": lambda s: body_of(s, payload={**SAID, "description": "In the\x00 cellar"}),
    "half an emoji": lambda s: body_of(s, payload={**SAID, "description": "In the\ud83d cellar"}),
    "a key twice": lambda s: body_of(s)[:-2] + b', "kind": "fire"}}',
    "cut off": lambda s: body_of(s)[:-2],
    "not a number": lambda s: body_of(s)[:-2] + b', "floor": NaN}}',
    "a list": lambda s: b"[" + body_of(s) + b"]",
    "a list behind ordinary news": lambda s: b'[{"eventType": "gallery.ready"}, ' + body_of(s) + b"]",
    "an envelope in an envelope": lambda s: b'{"event": ' + body_of(s) + b"}",
    "in UTF-16": lambda s: body_of(s).decode().encode("utf-16"),
    "in UTF-16 without a mark": lambda s: body_of(s).decode().encode("utf-16-be"),
    "its type by another name": lambda s: body_of(s).replace(b'"eventType"', b'"event_type"'),
    "its type as type": lambda s: body_of(s).replace(b'"eventType"', b'"type"'),
    "in capitals, ahead": lambda s: body_of(s, eventType="EMERGENCY.REPORTED", timestamp=moved(days=-1)),
}


@every_vendor
@pytest.mark.parametrize("way", BROKEN)
def test_a_signed_emergency_that_is_refused_alerts_staff_with_what_could_be_read(slug: str, way: str) -> None:
    sender = make_sender(0, slug)

    (answer,) = posted(sender, BROKEN[way](sender))

    assert answer.status in {400, 422}
    (receipt,) = due(sender)
    report = report_of(receipt)
    assert (report.trouble, report.external_id) == (Trouble.REFUSED, "one")
    assert (report.kind, report.description, report.reported_by) == ("fire", "In the cellar", "Tom")
    assert (report.contact_phone, report.location, report.booking_id) == ("436601234567", "Seehof", "BK-77")
    assert report.reason == receipt.reason
    assert tell(receipt.id)
    assert not tell(receipt.id)
    assert incidents(sender) == 1


@every_vendor
def test_an_id_that_comes_again_with_another_body_alerts_staff(slug: str) -> None:
    sender = make_sender(0, slug)
    other = body_of(sender, payload={**SAID, "description": "In the attic"})

    first, again, reused = posted(sender, body := body_of(sender), body, other)

    assert [first.status, again.status, reused.status] == [202, 200, 409]
    (receipt,) = due(sender)
    assert report_of(receipt).description == "In the attic"


@pytest.mark.parametrize("slug", [slug for slug, each in VENDORS.items() if each.signature.oldest_body > 8 * 86_400])
def test_a_signature_that_fits_and_is_too_old_alerts_staff(slug: str) -> None:
    sender = make_sender(0, slug)
    body = body_of(sender)

    (answer,) = answers(lambda door: ask(door, sender, [body], [JSON, *sender.sign(body, ahead=-400).items()]))

    assert answer.outcome == (401, "timestamp-outside-window")
    (receipt,) = due(sender)
    assert receipt.signed
    assert report_of(receipt).kind == "fire"


def test_a_replay_of_what_was_taken_alerts_nobody() -> None:
    sender = make_sender(0, "venue_master")
    body = body_of(sender)

    answers(
        lambda door: post(door, sender, body),
        lambda door: ask(door, sender, [body], [JSON, *sender.sign(body, ahead=-400).items()]),
    )

    (receipt,) = due(sender)
    assert tell(receipt.id)
    assert incidents(sender) == 0


@every_vendor
def test_an_emergency_of_the_wrong_media_type_alerts_staff(slug: str) -> None:
    sender = make_sender(0, slug)
    body = body_of(sender)
    text = ("Content-Type", "text/plain")

    answered = answers(
        lambda door: ask(door, sender, [body], [text, *sender.sign(body).items()]),
        lambda door: ask(door, sender, [body], [text]),
    )

    assert {each.status for each in answered} == {415}
    assert len(due(sender)) == 1


@every_vendor
def test_what_nobody_signed_alerts_nobody(slug: str) -> None:
    sender = make_sender(0, slug)
    body, guessed = body_of(sender, timestamp=moved(days=-1)), sender.scheme.new_secret()

    answers(
        lambda door: post(door, sender, body, secret=guessed),
        lambda door: ask(door, sender, [body], [JSON]),
        lambda door: ask(door, sender, [body], [JSON, *sender.sign(body, secret=guessed, ahead=-400).items()]),
    )

    assert due(sender) == []


def test_ordinary_events_that_are_refused_alert_nobody() -> None:
    sender = make_sender(0, "venue_master")

    posted(sender, sender.body({"capacity": "many"}), sender.body(timestamp=moved(days=-1)), b"{")

    assert due(sender) == []


@every_vendor
def test_an_emergency_that_a_paused_connection_holds_alerts_staff(slug: str) -> None:
    sender = make_sender(0, slug, state="paused")
    wedding = WeddingFactory(organization=sender.connection.organization)
    ExternalReferenceFactory(system=sender.connection.system, wedding=wedding, external_id="BK-77")

    (answer,) = posted(sender, body_of(sender))

    assert answer.status == 202
    (receipt,) = due(sender)
    report = report_of(receipt)
    assert (report.trouble, report.wedding_id, report.event_id) == (Trouble.HELD, wedding.id, receipt.event_id)
    assert tell(receipt.id)
    assert incidents(sender) == 1


@pytest.mark.parametrize("state", ["paused", "disabled"])
def test_staff_read_why_it_is_held_also_where_its_connection_is_disabled_meanwhile(state: str) -> None:
    sender = make_sender(0, "venue_master", state="paused")
    wedding = WeddingFactory(organization=sender.connection.organization)
    ExternalReferenceFactory(system=sender.connection.system, wedding=wedding, external_id="BK-77")
    posted(sender, body_of(sender))
    Connection.objects.filter(id=sender.connection.id).update(state=state)

    (receipt,) = due(sender)

    assert report_of(receipt).reason.startswith(f"The connection is {state}, so the emergency is held.")
    assert tell(receipt.id)
    assert incidents(sender) == 1


def test_what_goes_on_since_its_connection_was_resumed_alerts_nobody() -> None:
    sender = make_sender(0, "venue_master", state="paused")
    wedding = WeddingFactory(organization=sender.connection.organization)
    ExternalReferenceFactory(system=sender.connection.system, wedding=wedding, external_id="BK-77")
    posted(sender, body_of(sender))
    (receipt,) = due(sender)
    ChannelEvent.objects.filter(id=receipt.event_id).update(routing=ChannelEvent.Routing.PENDING)

    assert tell(receipt.id)
    assert incidents(sender) == 0


def test_a_wedding_of_ours_that_it_names_is_known_and_another_tenants_is_not() -> None:
    sender = make_sender(0, "shootq")
    mine, other = WeddingFactory(organization=sender.connection.organization), WeddingFactory()
    ahead = moved(days=-1)

    posted(
        sender,
        body_of(sender, timestamp=ahead, payload={"kind": "fire", "wedding_id": str(mine.id)}),
        body_of(sender, id="two", timestamp=ahead, payload={"kind": "fire", "wedding_id": str(other.id)}),
    )

    first, second = map(report_of, due(sender))
    assert (first.wedding_id, first.booking_id) == (mine.id, "")
    assert (second.wedding_id, second.booking_id) == (None, str(other.id))


def test_the_sweep_tells_what_no_task_has_told() -> None:
    sender = make_sender(0, "party_rental")
    posted(sender, body_of(sender, timestamp=moved(days=-1)))
    (receipt,) = due(sender)
    Receipt.objects.filter(id=receipt.id).update(received_at=timezone.now() - timedelta(minutes=1))

    assert tell_left() == 1
    assert tell_left() == 0
    assert incidents(sender) == 1


def test_several_that_tell_at_once_tell_once() -> None:
    sender = make_sender(0, "party_rental")
    posted(sender, body_of(sender, timestamp=moved(days=-1)))
    (receipt,) = due(sender)

    assert sorted(at_once(4, lambda _: tell(receipt.id))) == [False, False, False, True]
    assert incidents(sender) == 1


def test_the_same_emergency_sent_again_and_again_opens_one_incident() -> None:
    sender = make_sender(0, "iris_works")
    posted(sender, *[body_of(sender, timestamp=moved(days=-1))] * 3, body_of(sender, id="two", timestamp=None))

    assert emergency_alarms.tell_each([receipt.id for receipt in due(sender)]) == 4
    assert incidents(sender) == 1
