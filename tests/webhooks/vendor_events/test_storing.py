"""What a batch leaves in the database, on its own and beside others."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.models import Connection
from tests.at_once import at_once
from tests.factories import ConnectionFactory, ExternalReferenceFactory, WeddingFactory
from webhooks.committer import Committer
from webhooks.doors import Door
from webhooks.models import DedupId, Receipt
from webhooks.vendor_events.envelope import Accepted, Envelope
from webhooks.vendor_events.storing import Store, Stored, StoreResult, store
from wedsync.live.models import ChannelEvent


def accepted(
    connection: Connection,
    external_id: str,
    payload: dict[str, Any] | None = None,
    event_type: str | None = "venue.capacity_updated",
    vendor_type: str = "capacity.updated",
) -> Accepted:
    door = Door(connection.id, str(connection.organization_id), str(connection.system_id), "venue_master", ("s",), ())
    said = {"capacity": 1, "extra": {}} | (payload or {})
    envelope = Envelope(external_id, vendor_type, event_type, datetime.now(UTC), said)
    return Accepted(door, envelope, repr((external_id, payload)).encode(), {}, "127.0.0.1")


@pytest.mark.django_db
def test_the_second_of_one_batch_is_its_duplicate() -> None:
    door = ConnectionFactory()

    first, second, other = store([accepted(door, "a"), accepted(door, "a"), accepted(door, "a", {"capacity": 2})])

    assert [first.status, second.status, other.status] == [
        StoreResult.ACCEPTED,
        StoreResult.DUPLICATE,
        StoreResult.REUSED_ID,
    ]
    assert first.id == second.id == other.id
    assert ChannelEvent.objects.filter(organization=door.organization).count() == 1
    assert Receipt.objects.filter(connection=door).count() == 2


@pytest.mark.django_db
def test_an_id_is_claimed_for_one_connection_only() -> None:
    answers = store([accepted(ConnectionFactory(), "a"), accepted(ConnectionFactory(), "a")])

    assert [answer.status for answer in answers] == [StoreResult.ACCEPTED, StoreResult.ACCEPTED]


@pytest.mark.django_db
def test_an_unknown_type_is_kept_and_makes_no_event() -> None:
    door = ConnectionFactory()

    (answer,) = store([accepted(door, "a", event_type=None)])

    assert answer.status == StoreResult.UNRECOGNISED
    assert Receipt.objects.get(connection=door).event_id is None
    assert DedupId.objects.filter(connection=door).count() == 1


@pytest.mark.django_db
def test_the_wedding_is_found_by_the_vendors_reference_or_by_our_own_id_never_by_a_strangers() -> None:
    door = ConnectionFactory()
    mine = WeddingFactory(organization=door.organization)
    theirs = WeddingFactory()
    ExternalReferenceFactory(organization=door.organization, system=door.system, wedding=mine, external_id="BK-1")
    ExternalReferenceFactory(external_id="BK-2")

    answers = store(
        [
            accepted(door, "by reference", {"booking_id": "BK-1"}),
            accepted(door, "by id", {"wedding_id": str(mine.id)}),
            accepted(door, "another system's reference", {"booking_id": "BK-2"}),
            accepted(door, "a stranger's wedding", {"wedding_id": str(theirs.id)}),
        ]
    )

    events = [ChannelEvent.objects.get(id=answer.id) for answer in answers]
    assert [event.wedding_id for event in events] == [mine.id, mine.id, None, None]
    assert [event.routing for event in events] == ["pending", "pending", "unlinked", "unlinked"]
    assert all(event.organization_id == door.organization_id for event in events)


@pytest.mark.django_db(transaction=True)
def test_a_bad_row_fails_alone_in_its_batch() -> None:
    door = ConnectionFactory()
    items = [accepted(door, f"id {number}") for number in range(20)]
    items[7] = accepted(door, "bad", vendor_type="much too long " * 100)

    async def submit() -> list[Any]:
        committer: Committer[Accepted, Stored] = Committer(Store().batch)
        waiting = [committer.submit(item) for item in items]
        committer.start()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        await committer.stop()
        return results

    results = asyncio.run(submit())

    assert isinstance(results[7], Exception)
    assert sum(not isinstance(result, Exception) for result in results) == 19
    assert ChannelEvent.objects.filter(organization=door.organization).count() == 19
    assert not DedupId.objects.filter(connection=door, external_id="bad").exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_id_from_many_writers_at_once_is_one_event() -> None:
    door = ConnectionFactory()

    def write(number: int) -> list[Stored]:
        batch = [accepted(door, "shared"), accepted(door, f"own {number}")]
        return store(batch if number % 2 else batch[::-1])

    statuses = [answer.status for answers in at_once(6, write) for answer in answers]

    assert statuses.count(StoreResult.ACCEPTED) == 7
    assert statuses.count(StoreResult.DUPLICATE) == 5
    assert ChannelEvent.objects.filter(organization=door.organization).count() == 7
