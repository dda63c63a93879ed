"""A signed emergency that is too large is refused, and alerts staff with what could be read of it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from integrations.vendors import VENDORS
from notifications.models import Incident
from tests.senders import JSON, Answer, Sender, make_sender
from tests.webhooks.asking import ask, opened, post
from webhooks import limits
from webhooks.front_door import FrontDoor
from webhooks.models import Receipt
from webhooks.vendor_events.emergency_alarms import report_of, tell
from webhooks.vendor_events.receiver import LARGEST_READ
from webhooks.vendor_events.reprocessing import ReprocessResult, reprocess
from wedsync.wire.strict_json import LARGEST

pytestmark = pytest.mark.usefixtures("committed")
Play = Callable[[FrontDoor], Awaitable[Answer]]
TOO_LARGE = (413, "body-too-large")
SAID = {"kind": "fire", "description": "In the cellar", "reported_by": "Tom"}
every_vendor = pytest.mark.parametrize("slug", VENDORS)


@pytest.fixture(autouse=True)
def _counted_alone(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


def answers(*plays: Play) -> list[Answer]:
    async def play() -> list[Answer]:
        async with opened() as door_in:
            return [await each(door_in) for each in plays]

    return asyncio.run(play())


def emergency(sender: Sender, size: int = LARGEST + 1, **rest: Any) -> bytes:
    """Of so many bytes; what matters stands behind what is in the way."""
    envelope = sender.envelope(**{"id": "one", "eventType": "venue.emergency_reported", **rest})
    envelope["payload"] = {"log": "", **SAID}
    envelope["payload"]["log"] = "x" * (size - len(json.dumps(envelope)))
    body = json.dumps(envelope).encode()
    assert len(body) == size
    return body


def in_pieces(sender: Sender, body: bytes, *headers: tuple[str, str]) -> Play:
    pieces = [body[start : start + 65_536] for start in range(0, len(body), 65_536)]
    return lambda door: ask(door, sender, pieces, [JSON, *sender.sign(body).items(), *headers])


def due(sender: Sender) -> list[Receipt]:
    return list(Receipt.objects.filter(connection=sender.connection, alarm="due"))


@every_vendor
@pytest.mark.parametrize("size", [LARGEST + 1, LARGEST_READ])
@pytest.mark.parametrize("announced", [True, False])
def test_staff_are_alerted_with_what_it_says(slug: str, size: int, announced: bool) -> None:
    sender = make_sender(0, slug)
    body = emergency(sender, size)

    (answer,) = answers(in_pieces(sender, body, *([("Content-Length", str(size))] if announced else [])))

    assert answer.outcome == TOO_LARGE
    (receipt,) = due(sender)
    report = report_of(receipt)
    assert (report.external_id, report.kind, report.description) == ("one", "fire", "In the cellar")
    assert report.reason == "The body may have at most 262144 bytes."
    assert tell(receipt.id)
    assert Incident.objects.filter(organization=sender.connection.organization_id).count() == 1
    assert reprocess(receipt.id).outcome == ReprocessResult.STILL_REJECTED


@every_vendor
def test_what_nobody_signed_alerts_nobody(slug: str) -> None:
    sender = make_sender(0, slug)
    body, guessed = emergency(sender), sender.scheme.new_secret()

    found = answers(
        lambda door: post(door, sender, body, secret=guessed),
        lambda door: ask(door, sender, [body], [JSON]),
        lambda door: ask(door, sender, [body[:-1], b" "], [JSON, *sender.sign(body).items()]),
    )

    assert {each.outcome for each in found} == {TOO_LARGE}
    assert due(sender) == []


def test_ordinary_news_that_is_too_large_alerts_nobody() -> None:
    sender = make_sender(0, "venue_master")

    found = answers(in_pieces(sender, emergency(sender, eventType="gallery.ready")))

    assert found[0].outcome == TOO_LARGE
    assert due(sender) == []


def test_what_is_larger_than_is_ever_read_is_refused_unread() -> None:
    sender = make_sender(0, "venue_master")
    body = emergency(sender, LARGEST_READ + 1)

    found = answers(
        in_pieces(sender, body),
        lambda door: ask(door, sender, [], [*sender.sign(b"").items(), ("Content-Length", str(len(body)))]),
    )

    assert {each.outcome for each in found} == {TOO_LARGE}
    assert due(sender) == []


def test_an_address_has_so_many_read_in_an_hour() -> None:
    sender = make_sender(0, "shootq")
    body = emergency(sender)
    forged: Play = lambda door: post(door, sender, body, secret="guessed")  # noqa: E731

    found = answers(*[forged] * limits.CHECKS_PER_ADDRESS, in_pieces(sender, body))

    assert {each.outcome for each in found} == {TOO_LARGE}
    assert due(sender) == []


def test_a_connection_alerts_of_so_many_in_an_hour() -> None:
    sender = make_sender(0, "party_rental")
    more = limits.EMERGENCIES_PER_CONNECTION + 2

    answers(*[in_pieces(sender, emergency(sender, id=f"e-{number}")) for number in range(more)])

    assert len(due(sender)) == limits.EMERGENCIES_PER_CONNECTION


def test_over_the_limit_of_its_address_it_gets_that_answer_and_alerts_staff(settings: Any) -> None:
    settings.LIMIT_PER_ADDRESS = 0
    sender = make_sender(0, "venue_master")

    (answer,) = answers(in_pieces(sender, emergency(sender)))

    assert answer.status == 429
    assert len(due(sender)) == 1
