"""What a batch of callbacks leaves in the database, on its own and beside others."""

import asyncio
import hashlib
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from integrations.models import Connection
from tests.at_once import at_once
from tests.factories import ConnectionFactory
from tests.webhooks.callbacks.bodies import messages as messages_change
from tests.webhooks.callbacks.bodies import status, statuses, text_message
from tests.webhooks.callbacks.bodies import whatsapp as whatsapp_body
from webhooks.callbacks import PROVIDERS
from webhooks.callbacks.storing import CallbackReceived, store_callbacks
from webhooks.doors import Door
from webhooks.models import DedupId, ProviderNotice, Receipt
from wedsync.database.async_connection import AsyncConnection

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 6, 19, 10, tzinfo=UTC)


def a_door() -> Connection:
    made: Connection = ConnectionFactory(system__kind="whatsapp")
    return made


def received(connection: Connection, body: bytes, **rest: Any) -> CallbackReceived:
    door = Door(
        connection.id, str(connection.organization_id), str(connection.system_id), "whatsapp", ("s",), (str(uuid4()),)
    )
    readable = not rest.get("unreadable")
    return CallbackReceived(
        **{  # type: ignore[arg-type]
            "door": door,
            "body": body,
            "notices": PROVIDERS["whatsapp"].read({}, body, NOW) if readable else (),
            "unreadable": "",
            "older_secret_id": None,
            "headers": {"content-type": "application/json"},
            "remote_address": "127.0.0.1",
        }
        | rest
    )


def store(*batch: CallbackReceived) -> list[int | None]:
    async def write() -> list[int | None]:
        database = AsyncConnection()
        try:
            return await store_callbacks(database, batch)
        finally:
            database.close()

    return asyncio.run(write())


def test_a_request_leaves_its_receipt_and_a_notice_for_each_thing_that_it_tells() -> None:
    door, older = a_door(), str(uuid4())
    value = messages_change(statuses=[status("wamid.1", "sent"), status()], messages=[text_message(text="Grüße 🎉")])
    body = whatsapp_body(value)

    assert store(received(door, body, older_secret_id=older)) == [3]

    receipt = Receipt.objects.get(connection=door)
    assert (receipt.verdict, receipt.signed, receipt.slug, receipt.errors) == ("accepted", True, "", [])
    assert (bytes(receipt.body), receipt.body_size, receipt.external_id) == (body, len(body), "")
    assert (receipt.event_type, receipt.older_secret_id) == ("delivered, sent, text", UUID(older))
    assert (receipt.headers, receipt.remote_address) == ({"content-type": "application/json"}, "127.0.0.1")
    assert receipt.organization_id == door.organization_id
    notices = ProviderNotice.objects.filter(receipt=receipt).order_by("id")
    assert [(notice.kind, notice.name, notice.provider_id) for notice in notices] == [
        ("status", "sent", "wamid.1"),
        ("status", "delivered", "wamid.1"),
        ("message", "text", "wamid.in"),
    ]
    assert notices[2].data["text"] == {"body": "Grüße 🎉"}
    assert {notice.organization_id for notice in notices} == {door.organization_id}
    claimed = DedupId.objects.get(connection=door, external_id="message:wamid.in")
    assert (claimed.receipt_id, bytes(claimed.body_hash)) == (receipt.id, hashlib.sha256(body).digest())


def test_of_equal_things_in_one_batch_the_first_counts() -> None:
    door = a_door()
    first, again = statuses(status(), status()), statuses(status(), status(name="read"))

    assert store(received(door, first), received(door, again), received(door, first)) == [1, 1, 0]

    kept = [bytes(receipt.body) for receipt in Receipt.objects.filter(connection=door).order_by("id")]
    assert kept == [first, again]
    assert Counter(ProviderNotice.objects.values_list("name", flat=True)) == {"delivered": 1, "read": 1}


def test_of_what_comes_again_only_the_new_part_is_stored() -> None:
    door = a_door()
    store(received(door, statuses(status(name="sent"))))

    assert store(received(door, statuses(status(name="sent")))) == [0]
    assert store(received(door, statuses(status(name="sent"), status()))) == [1]

    receipts = Receipt.objects.filter(connection=door).order_by("id")
    assert [[notice.name for notice in receipt.notices.all()] for receipt in receipts] == [["sent"], ["delivered"]]


def test_the_same_ids_at_two_organizations_know_nothing_of_each_other() -> None:
    mine, theirs = a_door(), a_door()
    body = statuses(status())

    assert store(received(mine, body), received(theirs, body)) == [1, 1]

    for door in (mine, theirs):
        (notice,) = ProviderNotice.objects.filter(organization=door.organization)
        assert (notice.connection_id, notice.receipt.connection_id) == (door.id, door.id)


def test_a_connection_under_another_organization_stores_nothing() -> None:
    mine, theirs = a_door(), a_door()
    crossed = Door(mine.id, str(theirs.organization_id), str(mine.system_id), "whatsapp", ("s",), (str(uuid4()),))

    assert store(received(mine, statuses(status()), door=crossed)) == [None]

    assert not Receipt.objects.exists()
    assert not DedupId.objects.exists()


def test_a_deleted_connection_stores_nothing_and_its_neighbours_do() -> None:
    gone, door = a_door(), a_door()
    late = received(gone, statuses(status()))
    gone.delete()

    assert store(late, received(door, statuses(status()))) == [None, 1]

    assert Receipt.objects.get().connection_id == door.id


def test_what_can_not_be_read_is_kept_once_with_the_reason() -> None:
    door = a_door()
    body = b'{"entry":"\x00"}'

    assert store(received(door, body, unreadable="not JSON " * 100)) == [1]
    assert store(received(door, body, unreadable="not JSON")) == [0]

    receipt = Receipt.objects.get(connection=door)
    assert (receipt.verdict, receipt.slug, receipt.signed) == ("unrecognised", "unreadable", True)
    assert len(receipt.reason) == 500
    assert bytes(receipt.body) == body
    assert not ProviderNotice.objects.exists()


def test_a_large_batch_of_statuses_is_one_receipt() -> None:
    door = a_door()
    body = statuses(*[status(f"wamid.{number}") for number in range(10_000)])

    assert store(received(door, body)) == [10_000]
    assert store(received(door, body)) == [0]

    assert ProviderNotice.objects.filter(receipt=Receipt.objects.get()).count() == 10_000


def test_many_writers_with_the_same_statuses_store_each_once() -> None:
    door = a_door()
    wamids = [f"wamid.{number}" for number in range(30)]

    def write(number: int) -> list[int | None]:
        turned = wamids[number * 5 :] + wamids[: number * 5]
        batch = [received(door, statuses(*[status(wamid) for wamid in turned[at : at + 10]])) for at in (0, 10, 20)]
        return store(*batch)

    counts = [count for stored in at_once(6, write) for count in stored]

    assert len(counts) == 18
    assert sum(count or 0 for count in counts) == 30
    assert sorted(ProviderNotice.objects.values_list("provider_id", flat=True)) == sorted(wamids)
    assert DedupId.objects.filter(connection=door).count() == 30
    assert not Receipt.objects.filter(connection=door, notices=None).exists()
