"""Writing accepted requests: dedup ids, receipts, events and channel entries of a whole batch in one transaction.

Order (docs/adr/0006): dedup ids sorted by (connection, id) first, so that two batches never wait for each other in a
circle; then the channel counters, only for what survived; then the rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db import connection, transaction

from integrations import suppliers
from integrations.models import ExternalReference
from webhooks.inspection import Accepted
from webhooks.models import DedupId, Receipt
from wedsync.ids import new_id
from wedsync.live import channels
from wedsync.live.log import NewEvent
from wedsync.live.models import ChannelEvent
from wedsync.live.publishing import publish
from wedsync.weddings.models import Wedding


class Status(StrEnum):
    """What became of a stored request."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    UNRECOGNISED = "unrecognised"
    REUSED_ID = "reused_id"


@dataclass(frozen=True)
class Stored:
    """The answer's facts: the first request's id, and whether this was the first."""

    id: UUID
    status: Status


def store(batch: Sequence[Accepted]) -> list[Stored]:
    """Store a batch in one commit; answers in the order of the batch. Hints leave after the commit."""
    with transaction.atomic():
        claims = _claim(batch)
        survivors = {place: receipt_id for place, receipt_id in claims.items() if receipt_id is not None}
        answers = _answers(batch, survivors)
        fresh = {place: batch[place] for place in survivors}
        events = _events(fresh, survivors)
        _receipts(batch, answers, events)
        publish(list(events.values()))
    return answers


def _claim(batch: Sequence[Accepted]) -> dict[int, UUID | None]:
    """Claim each envelope's id for its connection. The receipt's id where it is ours, ``None`` where it was taken."""
    order = sorted(range(len(batch)), key=lambda place: (batch[place].door.connection_id, batch[place].external_id))
    values: list[str | UUID | bytes] = []
    ids = {place: new_id() for place in order}
    for place in order:
        item = batch[place]
        values += [item.door.connection_id, item.external_id, ids[place], item.body_hash]
    rows = ", ".join(["(%s, %s, %s, %s, now())"] * len(order))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO webhooks_dedupid (connection_id, external_id, receipt_id, body_hash, received_at) "  # noqa: S608
            f"VALUES {rows} ON CONFLICT (connection_id, external_id) DO NOTHING RETURNING receipt_id",
            values,
        )
        ours = {row[0] for row in cursor.fetchall()}
    return {place: receipt_id if receipt_id in ours else None for place, receipt_id in ids.items()}


def _answers(batch: Sequence[Accepted], survivors: dict[int, UUID]) -> list[Stored]:
    taken = [item for place, item in enumerate(batch) if place not in survivors]
    first = {
        (row.connection_id, row.external_id): row
        for row in DedupId.objects.filter(
            connection_id__in={item.door.connection_id for item in taken},
            external_id__in={item.external_id for item in taken},
        )
    }
    answers = []
    for place, item in enumerate(batch):
        if place in survivors:
            status = Status.ACCEPTED if item.event_type else Status.UNRECOGNISED
            answers.append(Stored(survivors[place], status))
            continue
        known = first[item.door.connection_id, item.external_id]
        same = bytes(known.body_hash) == item.body_hash
        answers.append(Stored(known.receipt_id, Status.DUPLICATE if same else Status.REUSED_ID))
    return answers


def _events(fresh: dict[int, Accepted], ids: dict[int, UUID]) -> dict[int, NewEvent]:
    recognised = {place: item for place, item in fresh.items() if item.event_type}
    weddings = _weddings(list(recognised.values()))
    supplier_ids = suppliers.of_weddings(weddings.values())
    events = {}
    for place, item in recognised.items():
        wedding_id = weddings.get(_key(item))
        payload = {**item.payload, "wedding_id": str(wedding_id)} if wedding_id else item.payload
        names = channels.names_for(
            item.event_type or "",
            organization_id=item.door.organization_id,
            wedding_id=wedding_id,
            supplier_ids=supplier_ids[wedding_id] if wedding_id else (),
            source_system_id=item.door.system_id,
            payload=payload,
        )
        events[place] = NewEvent(
            item.door.organization_id,
            wedding_id,
            item.event_type or "",
            payload,
            item.occurred_at,
            ChannelEvent.Source.WEBHOOK,
            names,
            source_system_id=item.door.system_id,
            source_connection_id=item.door.connection_id,
            held=item.door.paused,
            id=ids[place],
        )
    return events


_Key = tuple[UUID, str, str]


def _key(item: Accepted) -> _Key:
    return item.door.system_id, str(item.payload.get("booking_id", "")), str(item.payload.get("wedding_id", ""))


def _weddings(items: Sequence[Accepted]) -> dict[_Key, UUID]:
    """The wedding of each request: by the vendor's own reference, else by ``payload.wedding_id`` if it is ours."""
    references = {
        (row.system_id, row.external_id): row.wedding_id
        for row in ExternalReference.objects.filter(
            system_id__in={item.door.system_id for item in items},
            external_id__in={_key(item)[1] for item in items},
            kind=ExternalReference.Kind.BOOKING,
            wedding__isnull=False,
        )
    }
    named = {
        (organization_id, str(wedding_id)): wedding_id
        for wedding_id, organization_id in Wedding.objects.filter(
            organization_id__in={item.door.organization_id for item in items},
            id__in={_key(item)[2] for item in items if _key(item)[2]},
        ).values_list("id", "organization_id")
    }
    found = {}
    for item in items:
        system_id, booking_id, wedding_id = _key(item)
        match = references.get((system_id, booking_id)) or named.get((item.door.organization_id, wedding_id))
        if match:
            found[_key(item)] = match
    return found


def _receipts(batch: Sequence[Accepted], answers: Sequence[Stored], events: dict[int, NewEvent]) -> None:
    rows = []
    for place, (item, answer) in enumerate(zip(batch, answers, strict=True)):
        if answer.status == Status.DUPLICATE:
            continue
        reused = answer.status == Status.REUSED_ID
        rows.append(
            Receipt(
                id=new_id() if reused else answer.id,
                organization_id=item.door.organization_id,
                connection_id=item.door.connection_id,
                verdict=answer.status.value,
                reason="its id was used before, with another body" if reused else "",
                event_id=events[place].id if place in events else None,
                external_id=item.external_id,
                event_type=item.vendor_type,
                body=item.body,
                headers=item.headers,
                remote_address=item.remote_address,
            )
        )
    Receipt.objects.bulk_create(rows)
