"""Over a limit a signed emergency still passes, a bounded number of times, and nothing else does."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from integrations.vendors import VENDORS
from notifications.models import Incident
from tests.senders import JSON, Answer, Sender, make_sender
from tests.webhooks.asking import ask, opened, post
from webhooks import limits
from webhooks.front_door import FrontDoor
from webhooks.models import Receipt
from webhooks.vendor_events import emergency_alarms

pytestmark = pytest.mark.usefixtures("committed")
Play = Callable[[FrontDoor], Awaitable[Answer]]
OVER = (429, "too-many-requests")
every_vendor = pytest.mark.parametrize("slug", VENDORS)


@pytest.fixture(autouse=True)
def _counted_alone(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


@contextmanager
def low(settings: Any, *, per_address: int = 1_000, per_connection: int = 1_000) -> Iterator[None]:
    settings.LIMIT_PER_ADDRESS, settings.LIMIT_PER_CONNECTION = per_address, per_connection
    yield


def answers(*plays: Play) -> list[Answer]:
    async def play() -> list[Answer]:
        async with opened() as door_in:
            return [await each(door_in) for each in plays]

    return asyncio.run(play())


def emergency(sender: Sender, **rest: Any) -> bytes:
    body = sender.envelope(eventType="venue.emergency_reported", **rest)
    body["payload"] = {"kind": "fire", "description": "In the cellar"}
    return json.dumps(body).encode()


def news(sender: Sender) -> Play:
    return lambda door: post(door, sender, sender.body())


def alarm(sender: Sender, **rest: Any) -> Play:
    return lambda door: post(door, sender, emergency(sender, **rest))


@every_vendor
def test_ordinary_news_up_to_the_limit_keeps_no_emergency_out(slug: str, settings: Any) -> None:
    with low(settings, per_connection=2):
        sender = make_sender(0, slug)
        found = answers(news(sender), news(sender), news(sender), alarm(sender), news(sender))

    assert [each.status for each in found] == [202, 202, 429, 202, 429]
    assert found[3].headers["ratelimit-remaining"] == "0"


@every_vendor
def test_an_address_over_its_limit_still_reports_emergencies(slug: str, settings: Any) -> None:
    with low(settings, per_address=2):
        sender = make_sender(0, slug)
        found = answers(news(sender), news(sender), news(sender), alarm(sender), news(sender), alarm(sender))

    assert [each.status for each in found] == [202, 202, 429, 202, 429, 202]


def test_an_emergency_passes_at_a_door_that_this_process_has_not_seen_yet(settings: Any) -> None:
    with low(settings, per_address=0):
        sender = make_sender(0, "venue_master")
        found = answers(alarm(sender))

    assert found[0].outcome == (202, "accepted")


def test_over_the_limit_whatever_else_is_wrong_is_answered_with_the_limit(settings: Any) -> None:
    with low(settings, per_address=0):
        sender = make_sender(0, "venue_master")
        body, other = emergency(sender), make_sender(0, "shootq")
        found = answers(
            lambda door: post(door, sender, body, secret="guessed"),
            lambda door: ask(door, sender, [body], [JSON]),
            lambda door: ask(door, sender, [body], [("Content-Type", "text/plain"), *sender.sign(body).items()]),
            lambda door: post(door, sender, b"x" * 300_000),
            lambda door: post(door, sender, b"{"),
            lambda door: ask(door, other, [body], []),
        )

    assert {each.outcome for each in found} == {OVER}
    assert all(int(each.headers["retry-after"]) > 0 for each in found)


def test_a_flood_of_emergencies_is_bounded_for_a_connection(settings: Any) -> None:
    with low(settings, per_connection=1):
        sender = make_sender(0, "party_rental")
        found = answers(news(sender), *[alarm(sender) for _ in range(limits.EMERGENCIES_PER_CONNECTION + 3)])

    assert [each.status for each in found[1:]] == [202] * limits.EMERGENCIES_PER_CONNECTION + [429] * 3


def test_what_is_not_signed_uses_up_nothing_of_the_connections_share(settings: Any) -> None:
    with low(settings, per_address=200):
        sender = make_sender(0, "iris_works")
        guessed = sender.scheme.new_secret()
        forged: Play = lambda door: post(door, sender, emergency(sender), secret=guessed)  # noqa: E731
        found = answers(*[news(sender)] * 200, *[forged] * limits.EMERGENCIES_PER_CONNECTION, alarm(sender))

    assert {each.outcome for each in found[200:-1]} == {OVER}
    assert found[-1].outcome == (202, "accepted")


def test_a_share_that_is_used_up_by_forgeries_lets_nothing_pass_from_there(settings: Any) -> None:
    with low(settings, per_address=200):
        sender = make_sender(0, "shootq")
        forged: Play = lambda door: post(door, sender, emergency(sender), secret="guessed")  # noqa: E731
        found = answers(*[news(sender)] * 200, *[forged] * limits.CHECKS_PER_ADDRESS, alarm(sender))

    assert {each.outcome for each in found[200:]} == {OVER}


def test_ordinary_news_uses_up_nothing_of_the_share(settings: Any) -> None:
    with low(settings, per_address=200):
        sender = make_sender(0, "studio_cloud")
        found = answers(*[news(sender)] * (200 + limits.CHECKS_PER_ADDRESS + 1), alarm(sender))

    assert found[-1].outcome == (202, "accepted")


def test_what_an_emergency_over_the_limit_is_refused_for_is_told_and_kept(settings: Any) -> None:
    with low(settings, per_address=0):
        sender = make_sender(0, "venue_master")
        found = answers(alarm(sender, timestamp="yesterday", id="one"))

    assert found[0].outcome == (400, "bad-envelope")
    kept = Receipt.objects.get(connection=sender.connection)
    assert (kept.signed, kept.alarm, kept.external_id) == (True, "due", "one")


def refused(way: str, sender: Sender) -> bytes:
    """An emergency that cannot be taken, whoever sends it."""
    body = emergency(sender, id="one")
    if way == "a raw NUL":
        return body.replace(b"cellar", b"cel\x00lar")
    return body.replace(b"cellar", {"NUL": b"cel\\u0000lar", "half an emoji": b"cel\\ud83dlar"}[way])


@every_vendor
@pytest.mark.parametrize("way", ["NUL", "a raw NUL", "half an emoji"])
@pytest.mark.parametrize("over", ["per_connection", "per_address"])
def test_what_is_refused_over_a_limit_alerts_staff_all_the_same(slug: str, way: str, over: str, settings: Any) -> None:
    with low(settings, **{over: 1}):
        sender = make_sender(0, slug)
        found = answers(news(sender), news(sender), lambda door: post(door, sender, refused(way, sender)))

    assert [each.status for each in found] == [202, 429, 400 if way == "a raw NUL" else 422]
    receipt = Receipt.objects.get(connection=sender.connection, external_id="one")
    assert (receipt.signed, receipt.alarm) == (True, "due")
    assert emergency_alarms.tell(receipt.id)
    asked = Incident.objects.get(organization=sender.connection.organization_id)
    assert asked.event.payload["trouble"] == "refused"
    assert asked.event.payload["description"].startswith("In the cel")
