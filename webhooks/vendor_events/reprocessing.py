"""Reprocessing receipts: signed requests that were refused become events; accepted ones get missing deliveries.

An event has the id of its receipt, so that nothing is ever done twice. Unsigned requests are never processed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from integrations.models import Connection
from integrations.routing import route_event
from webhooks.doors import Door
from webhooks.models import DedupId, Receipt
from webhooks.receipts import correlation_ids
from webhooks.requests.refusals import Refused
from webhooks.vendor_events.envelope import Accepted, open_body
from webhooks.vendor_events.storing import StoreResult, store
from wedsync import correlation
from wedsync.database.errors import POSTGRES_AWAY
from wedsync.wire.strict_json import LARGEST

log = structlog.get_logger(__name__)
Verdict = Receipt.Verdict
BATCH = 200  # receipts in memory, whose bodies may be large
MOST_REASONS = 10


class ReprocessResult(StrEnum):
    """The result of reprocessing a receipt."""

    ROUTED_AGAIN = "routed_again"
    BECOMES_EVENT = "becomes_event"
    STILL_REJECTED = "still_rejected"
    STILL_UNRECOGNISED = "still_unrecognised"
    DUPLICATE = "duplicate"
    REUSED_ID = "reused_id"
    UNSIGNED = "unsigned"
    NOT_WHOLE = "not_whole"
    NO_EVENT = "no_event"
    DISABLED = "disabled"
    FAILED = "failed"

    @property
    def words(self) -> str:
        """The result in words for staff."""
        return _WORDS[self]


_WORDS = {
    ReprocessResult.ROUTED_AGAIN: "has its event: routed again, only missing deliveries are made",
    ReprocessResult.BECOMES_EVENT: "becomes an event, which is routed",
    ReprocessResult.STILL_REJECTED: "still rejected: nothing is done",
    ReprocessResult.STILL_UNRECOGNISED: "its type is still unknown: nothing is done",
    ReprocessResult.DUPLICATE: "a later request with its id was accepted: nothing is done",
    ReprocessResult.REUSED_ID: "its id belongs to another event: the vendor must send it under a new id",
    ReprocessResult.UNSIGNED: "was not signed: never processed",
    ReprocessResult.NOT_WHOLE: "only the beginning of its body was kept: nothing can be done",
    ReprocessResult.NO_EVENT: "a provider's callback: nothing is done",
    ReprocessResult.DISABLED: "its connection is disabled: resume that first",
    ReprocessResult.FAILED: "failed: our log has the reason",
}


@dataclass(frozen=True)
class Judgement:
    """What a receipt can become, judged from itself. ``accepted``: may be stored unless its id is in use."""

    outcome: ReprocessResult
    reason: str = ""
    accepted: Accepted | None = None


@dataclass(frozen=True)
class Processed:
    """The result for a receipt. ``deliveries``: how many missing ones were made."""

    outcome: ReprocessResult
    reason: str = ""
    deliveries: int = 0


@dataclass
class ReprocessPreview:
    """What reprocessing many receipts would do, and the reasons why some stay as they are."""

    counts: Counter[ReprocessResult] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def does_something(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.counts[ReprocessResult.ROUTED_AGAIN] or self.counts[ReprocessResult.BECOMES_EVENT])

    @property
    def common_reasons(self) -> list[tuple[str, int]]:
        """The most common reasons, each with its count."""
        return self.reasons.most_common(MOST_REASONS)


def judge(receipt: Receipt) -> Judgement:
    """What a receipt would become. Pure, given its connection and system."""
    if receipt.verdict == Verdict.ACCEPTED:
        return Judgement(ReprocessResult.ROUTED_AGAIN if receipt.event_id else ReprocessResult.NO_EVENT)
    if not receipt.signed:
        return Judgement(ReprocessResult.UNSIGNED)
    if receipt.verdict == Verdict.REUSED_ID:
        return Judgement(ReprocessResult.REUSED_ID)
    door = _door(receipt.connection)
    if not door.is_of_a_vendor:
        return Judgement(ReprocessResult.NO_EVENT)
    if receipt.connection.state == Connection.Status.DISABLED:
        return Judgement(ReprocessResult.DISABLED)
    body = bytes(receipt.body)
    if receipt.body_size > len(body):
        return Judgement(ReprocessResult.NOT_WHOLE)
    if len(body) > LARGEST:
        return Judgement(ReprocessResult.STILL_REJECTED, f"The body may have at most {LARGEST} bytes.")
    try:
        envelope = open_body(door.vendor, body, receipt.received_at.timestamp())
    except Refused as refused:
        return Judgement(ReprocessResult.STILL_REJECTED, refused.problem.detail)
    if envelope.event_type is None:
        return Judgement(ReprocessResult.STILL_UNRECOGNISED, f"The type {envelope.vendor_type} is not mapped yet.")
    accepted = Accepted(
        door=door,
        envelope=envelope,
        body=body,
        headers=receipt.headers,
        remote_address=receipt.remote_address,
        older_secret_id=str(receipt.older_secret_id) if receipt.older_secret_id else None,
        receipt_id=str(receipt.id),
        correlation_id=receipt.correlation_id or correlation.current_or_new(),
    )
    return Judgement(ReprocessResult.BECOMES_EVENT, accepted=accepted)


def _door(connection: Connection) -> Door:
    """A door without secrets, since the signature was checked when the request arrived."""
    return Door(
        connection_id=connection.id,
        organization_id=str(connection.organization_id),
        system_id=str(connection.system_id),
        kind=connection.system.kind,
        secrets=(),
        secret_ids=(),
    )


def preview(receipts: QuerySet[Receipt]) -> ReprocessPreview:
    """What reprocessing would do to each receipt, oldest first; changes nothing."""
    found = ReprocessPreview()
    promised: set[tuple[str, str]] = set()
    rows = receipts.select_related("connection__system").order_by("id").iterator(chunk_size=BATCH)
    for batch in _batches(rows):
        judged = [(receipt, judge(receipt)) for receipt in batch]
        claimed = _claimed([each.accepted for _, each in judged if each.accepted])
        for receipt, each in judged:
            outcome = each.outcome
            if each.accepted is not None:
                name = (receipt.connection_id, each.accepted.envelope.external_id)
                if claimed.get(name, receipt.id) != receipt.id or name in promised:
                    outcome = ReprocessResult.DUPLICATE
                promised.add(name)
            found.counts[outcome] += 1
            if each.reason:
                found.reasons[each.reason] += 1
    return found


def _batches(rows: Iterator[Receipt]) -> Iterator[list[Receipt]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _claimed(items: Sequence[Accepted]) -> dict[tuple[str, str], UUID]:
    """The receipts that have already claimed these requests' ids."""
    wanted = Q(
        connection_id__in={item.door.connection_id for item in items},
        external_id__in={item.envelope.external_id for item in items},
    )
    rows = DedupId.objects.filter(wanted).values_list("connection_id", "external_id", "receipt_id")
    return {(connection_id, external_id): receipt_id for connection_id, external_id, receipt_id in rows}


@transaction.atomic
def reprocess(receipt_id: UUID) -> Processed:
    """Reprocess one receipt. Its row stays locked, so that concurrent calls do it once."""
    locked = Receipt.objects.select_for_update(of=("self",), no_key=True)
    receipt = locked.select_related("connection__system").get(id=receipt_id)
    judged = judge(receipt)
    if judged.accepted is not None:
        return _store(judged.accepted)
    if judged.outcome != ReprocessResult.ROUTED_AGAIN or receipt.event_id is None:
        return Processed(judged.outcome, judged.reason)
    made = route_event.route_again(receipt.event_id)
    Receipt.objects.filter(id=receipt.id).update(reprocessed_at=Now())
    return Processed(ReprocessResult.ROUTED_AGAIN, deliveries=made)


def _store(accepted: Accepted) -> Processed:
    """Store it; the same statement turns the receipt into an accepted one and notes the time."""
    (stored,) = store([accepted])
    match stored.status:
        case StoreResult.ACCEPTED:
            return Processed(ReprocessResult.BECOMES_EVENT)
        case StoreResult.DUPLICATE:
            return Processed(ReprocessResult.DUPLICATE)
        case StoreResult.REUSED_ID:
            return Processed(ReprocessResult.DUPLICATE, "A request with its id and another body was accepted.")
    return Processed(ReprocessResult.DISABLED)


def reprocess_many(receipt_ids: Iterable[UUID]) -> Counter[ReprocessResult]:
    """Reprocess many, each in its own transaction, so that a failing one does not stop the others."""
    counts: Counter[ReprocessResult] = Counter()
    for receipt_id, correlation_id in correlation_ids(receipt_ids):
        with correlation.of_stored(correlation_id):
            try:
                counts[reprocess(receipt_id).outcome] += 1
            except POSTGRES_AWAY:
                raise
            except Exception:
                log.exception("receipt_not_reprocessed", receipt=str(receipt_id))
                counts[ReprocessResult.FAILED] += 1
    return counts
