"""What stays of requests that were refused."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.utils import timezone

from integrations.models import Connection
from integrations.signatures.standard_webhooks import StandardWebhooks
from tests.factories import ConnectionSecretFactory
from tests.senders import JSON, Answer, Sender, make_sender
from tests.webhooks.asking import ask, opened, post
from webhooks import rejections
from webhooks.doors import Door
from webhooks.front_door import FrontDoor
from webhooks.models import Receipt
from webhooks.rejections import KEPT_A_MINUTE, KEPT_BYTES, Rejected, Sample
from webhooks.requests.refusals import Refused
from wedsync.wire.problems import Problem

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def sender() -> Sender:
    return make_sender(0, "venue_master")


def answers(*plays: Callable[[FrontDoor], Awaitable[Answer]]) -> list[Answer]:
    """Each after the other at one door in, which has stored everything when this returns."""

    async def play() -> list[Answer]:
        async with opened() as door_in:
            return [await each(door_in) for each in plays]

    return asyncio.run(play())


def receipt(sender: Sender) -> Receipt:
    return Receipt.objects.get(connection=sender.connection)


def test_a_signed_request_that_breaks_its_schema_is_kept_whole_with_each_field(sender: Sender) -> None:
    body = sender.body({"capacity": "many", "note": "x" * 10_000}, id="one")

    (answer,) = answers(lambda door: post(door, sender, body))

    assert answer.outcome == (422, "schema-violation")
    kept = receipt(sender)
    assert (kept.verdict, kept.slug, kept.signed) == ("rejected", "schema-violation", True)
    assert kept.errors == answer.json["errors"] == [{"field": "capacity", "reason": "must be a whole number"}]
    assert (kept.external_id, kept.event_type, kept.event_id) == ("one", "venue.capacity_updated", None)
    assert (bytes(kept.body), kept.body_size) == (body, len(body))
    assert kept.organization_id == sender.connection.organization_id
    assert (kept.remote_address, kept.headers) == ("127.0.0.1", {"content-type": "application/json"})


@pytest.mark.parametrize("body", [b"\xff\x00" * 5_000, b"{}", b"{" * 5_000])
def test_a_signed_request_that_is_no_envelope_is_kept_byte_by_byte(sender: Sender, body: bytes) -> None:
    (answer,) = answers(lambda door: post(door, sender, body))

    assert answer.status == 400
    kept = receipt(sender)
    assert (bytes(kept.body), kept.body_size, kept.signed) == (body, len(body), True)
    assert kept.slug == answer.outcome[1]
    assert kept.reason == answer.json["detail"]


def test_of_an_unsigned_request_the_beginning_is_kept_and_its_size(sender: Sender) -> None:
    body = b"\x00junk" * 5_000

    (answer,) = answers(lambda door: post(door, sender, body, secret="guessed"))

    kept = receipt(sender)
    assert answer.outcome == (401, kept.slug)
    assert (bytes(kept.body), kept.body_size, kept.signed) == (body[:KEPT_BYTES], len(body), False)
    assert list(kept.headers) == ["content-type"]


def test_headers_that_can_not_be_stored_as_they_are_do_not_matter(sender: Sender) -> None:
    odd = [JSON, ("User-Agent", "a\x00b\xff\u20ac" + "x" * 1_000), ("User-Agent", "second")]

    (answer,) = answers(lambda door: ask(door, sender, [b"{}"], odd))

    assert answer.outcome == (401, "signature-missing")
    assert len(receipt(sender).headers["user-agent"]) <= 300


def rejected(connection_id: str, body: bytes = b"") -> Rejected:
    door = Door(connection_id, "", "", "venue_master", (), ())
    return Rejected(door, Refused(Problem(401, "signature-missing", "")), False, body, len(body), {}, None)


def test_so_many_a_minute_are_kept_and_the_next_one_tells_how_many_were_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 6_000.0
    monkeypatch.setattr(rejections, "time", SimpleNamespace(monotonic=lambda: now))
    sample = Sample()

    chosen = [sample.chooses(rejected("attacked")) for _ in range(KEPT_A_MINUTE + 5)]

    assert chosen == [True] * KEPT_A_MINUTE + [False] * 5
    assert sample.chooses(rejected("another"))
    now += 59.9
    assert not sample.chooses(rejected("attacked"))
    now += 0.1
    first, second = rejected("attacked"), rejected("attacked")
    assert sample.chooses(first)
    assert sample.chooses(second)
    assert (first.unkept, second.unkept) == (6, 0)


def test_under_attack_each_request_is_kept_or_counted(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 6_000.0
    monkeypatch.setattr(rejections, "time", SimpleNamespace(monotonic=lambda: now))

    def junk(door: FrontDoor) -> Awaitable[Answer]:
        return post(door, sender, b"junk", secret="guessed")

    def junk_in_the_next_minute(door: FrontDoor) -> Awaitable[Answer]:
        nonlocal now
        now += 60
        return junk(door)

    assert {answer.status for answer in answers(*[junk] * 100, junk_in_the_next_minute)} == {401}

    unkept = Receipt.objects.filter(connection=sender.connection).values_list("unkept", flat=True)
    assert sorted(unkept) == [0] * KEPT_A_MINUTE + [100 - KEPT_A_MINUTE]


def test_an_older_secret_is_noted_wherever_it_signed(sender: Sender) -> None:
    newest = StandardWebhooks().new_secret()
    ConnectionSecretFactory(connection=sender.connection, text=newest)
    older = sender.connection.secrets.order_by("created_at")[0]

    found = answers(
        lambda door: post(door, sender, sender.body(id="accepted")),
        lambda door: post(door, sender, sender.body({"capacity": "x"}, id="rejected")),
        lambda door: post(door, sender, sender.body(eventType="un.known", id="unrecognised")),
        lambda door: post(door, sender, sender.body({"capacity": 2}, id="accepted")),
        lambda door: post(door, sender, sender.body(id="by the newest"), secret=newest),
    )

    assert [answer.status for answer in found] == [202, 422, 202, 409, 202]
    kept = Receipt.objects.filter(connection=sender.connection).order_by("id")
    assert [each.verdict for each in kept] == ["accepted", "rejected", "unrecognised", "reused_id", "accepted"]
    assert [each.older_secret_id for each in kept] == [older.id] * 4 + [None]


def test_a_secret_that_has_ended_signs_nothing(sender: Sender) -> None:
    newest = StandardWebhooks().new_secret()
    ConnectionSecretFactory(connection=sender.connection, text=newest)
    older = sender.connection.secrets.order_by("created_at")[:1].get()
    older.expires_at = timezone.now() - timedelta(seconds=1)
    older.save()

    refused, accepted = answers(
        lambda door: post(door, sender, sender.body()), lambda door: post(door, sender, sender.body(), secret=newest)
    )

    assert (refused.outcome, accepted.status) == ((401, "signature-mismatch"), 202)


@pytest.mark.parametrize(
    ("go", "stored"),
    [
        (lambda row: row.delete(), (1, 0, 0)),  # the event of before stays
        (lambda row: Connection.objects.filter(id=row.id).update(state="disabled"), (1, 1, 1)),
    ],
    ids=["deleted", "disabled"],
)
def test_a_connection_that_went_while_its_door_was_remembered_takes_nothing_more(
    sender: Sender, go: Callable[[Connection], None], stored: tuple[int, int, int]
) -> None:
    def in_a_thread() -> None:
        try:
            go(Connection.objects.get(id=sender.connection.id))
        finally:
            connection.close()

    async def play() -> tuple[Answer, Answer]:
        async with opened() as door_in:
            first = await post(door_in, sender, sender.body())
            await asyncio.to_thread(in_a_thread)
            return first, await post(door_in, sender, sender.body())

    before, after = asyncio.run(play())

    assert before.status == 202
    assert after.outcome == (404, "connection-unknown")
    assert sender.stored() == stored
