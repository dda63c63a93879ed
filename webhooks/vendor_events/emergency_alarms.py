"""Alerts staff to emergencies that were refused, or that a paused connection holds.

The receipt records that an alarm is due, in the commit that stores it, so the answer does not wait for the alarm, and
no process that dies can lose it. A task alerts staff immediately; the sweep finds what is left.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from integrations.models import Connection, ExternalReference
from integrations.vendors import VENDORS
from notifications.incidents.emergency_reports import Report, Trouble
from notifications.incidents.unplaced import tell_staff
from webhooks.models import DedupId, Receipt
from webhooks.receipts import correlation_ids
from webhooks.vendor_events import emergencies
from wedsync import correlation
from wedsync.database.errors import POSTGRES_AWAY
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Wedding

log = structlog.get_logger(__name__)
BATCH = 50
Alarm = Receipt.Alarm


def tell_each(receipt_ids: Iterable[UUID]) -> int:
    """Tell staff of the emergencies in these receipts, each in its own transaction; returns how many were due."""
    told = 0
    for receipt_id, correlation_id in correlation_ids(receipt_ids):
        with correlation.of_stored(correlation_id):
            try:
                told += tell(receipt_id)
            except POSTGRES_AWAY:
                raise
            except Exception:
                log.exception("emergency_not_told", receipt=str(receipt_id))
    return told


def tell_left() -> int:
    """A round of the sweep: the emergencies that no task has reported."""
    overdue = timedelta(seconds=settings.SWEEP_OVERDUE_SECONDS)
    due = Receipt.objects.filter(alarm=Alarm.DUE, received_at__lt=Now() - overdue)
    return tell_each(due.order_by("id").values_list("id", flat=True)[:BATCH])


@transaction.atomic
def tell(receipt_id: UUID) -> bool:
    """Tell staff of one emergency, once even if called concurrently; returns whether it was due."""
    due = Receipt.objects.filter(id=receipt_id, alarm=Alarm.DUE)
    receipt = (
        due.select_for_update(of=("self",), no_key=True, skip_locked=True).select_related("connection__system").first()
    )
    if receipt is None:
        return False
    if not _needs_nobody(receipt):
        tell_staff(report_of(receipt))
    due.update(alarm=Alarm.TOLD)
    return True


def _needs_nobody(receipt: Receipt) -> bool:
    """Whether the emergency was accepted after all: with an earlier request, or since the connection resumed."""
    if receipt.event_id is not None:
        return not ChannelEvent.objects.filter(id=receipt.event_id, routing=ChannelEvent.Routing.HELD).exists()
    claimed = DedupId.objects.filter(connection_id=receipt.connection_id, external_id=receipt.external_id).first()
    if claimed is None:
        return False
    first = Receipt.objects.filter(id=claimed.receipt_id).values_list("body", flat=True).first()
    return first is not None and bytes(first) == bytes(receipt.body)


def report_of(receipt: Receipt) -> Report:
    """The report for staff, with everything that could be read."""
    said = _said(receipt)
    held = receipt.verdict == Receipt.Verdict.ACCEPTED
    wedding_id = _wedding_of(receipt, said)
    return Report(
        organization_id=receipt.organization_id,
        connection_id=receipt.connection_id,
        trouble=Trouble.HELD if held else Trouble.REFUSED,
        reason=_held_because(receipt.connection) if held else receipt.reason,
        external_id=receipt.external_id or str(receipt.id),
        kind=said.get("kind", ""),
        description=said.get("description", ""),
        reported_by=said.get("reported_by", ""),
        contact_phone=said.get("contact_phone", ""),
        location=said.get("venue_name", ""),
        booking_id="" if wedding_id else said.get("booking_id", "") or said.get("wedding_id", ""),
        wedding_id=wedding_id,
        event_id=receipt.event_id if held else None,
    )


def _held_because(connection: Connection) -> str:
    closed = "disabled" if connection.state == Connection.Status.DISABLED else "paused"
    return (
        f"The connection is {closed}, so the emergency is held. Resume the connection to send it to the wedding's "
        "people."
    )


def _said(receipt: Receipt) -> dict[str, str]:
    vendor = VENDORS.get(receipt.connection.system.kind)
    reading = emergencies.read(vendor, bytes(receipt.body)) if vendor else None
    payload = reading.payload if reading else {}
    return {name: value for name, value in payload.items() if isinstance(value, str)}


def _wedding_of(receipt: Receipt, said: dict[str, str]) -> UUID | None:
    """The wedding that the emergency names, if it belongs to the organization."""
    if receipt.event_id:
        return ChannelEvent.objects.filter(id=receipt.event_id).values_list("wedding_id", flat=True).first()
    if booking_id := said.get("booking_id"):
        named = ExternalReference.objects.filter(
            system_id=receipt.connection.system_id, kind=ExternalReference.Kind.BOOKING, external_id=booking_id
        )
        if found := named.values_list("wedding_id", flat=True).first():
            return found
    wedding_id = said.get("wedding_id")
    if not wedding_id:
        return None
    mine = Wedding.objects.filter(organization_id=receipt.organization_id, id=wedding_id)
    return mine.values_list("id", flat=True).first()
