"""Did Anna get it? One sentence, and everything that led to it in chronological order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from django.db.models import QuerySet

from integrations.models import Attempt, Delivery
from integrations.states import WAITING, Reason, State
from notifications.models import Message, Notification, Sending, TraceEntry, Window, WindowEntry
from wedsync.weddings.addresses import Evidence
from wedsync.weddings.models import ContactChannel

_AFTER_ACCEPTANCE = {
    Evidence.STATUSES: "; whether it arrived is not known yet",
    Evidence.ACCEPTANCE: " and reports no more",
    Evidence.NONE: "; nothing reports whether it arrived",
}
_TOLD_BY_ANOTHER = frozenset({Reason.IN_DIGEST, Reason.SUPERSEDED})


class Got(StrEnum):
    """How far the best of a notification's messages came, from less to more."""

    NOT_SENT = "not sent"
    FAILED = "failed"
    WAITS = "waits"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    ACKNOWLEDGED = "acknowledged"

    @property
    def rank(self) -> int:
        """Higher is further."""
        return list(Got).index(self)


@dataclass(frozen=True)
class Answer:
    """``text``: a sentence. ``at``: since when this holds, if known."""

    got: Got
    text: str
    channel: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Line:
    """One thing that happened: ``what`` in one word, ``text`` for people."""

    at: datetime
    what: str
    channel: str
    text: str
    delivery: UUID | None = None


def with_what_came(rows: QuerySet[Notification]) -> QuerySet[Notification]:
    """The rows with all that :func:`answer` reads, so that a whole page needs no more queries than one row."""
    return rows.select_related("event__wedding").prefetch_related(
        "sendings__delivery__message", "sendings__delivery__window_entry__window__delivery__message"
    )


def answer(notification: Notification) -> Answer:
    """How far the most successful of its messages came."""
    sendings = sorted(notification.sendings.all(), key=lambda sending: sending.delivery_id)
    found = [_of_carrier(sending.delivery) for sending in sendings]
    if notification.seen_at:
        found.insert(0, _of_screen(notification, notification.seen_at))
    return _best(found)


def _of_screen(notification: Notification, at: datetime) -> Answer:
    zone = notification.event.wedding.zone if notification.event.wedding else UTC
    text = f"Yes: {notification.name} had it on screen at {at.astimezone(zone):%H:%M:%S} ({zone})."
    return Answer(Got.READ, text, at=at)


def _best(found: Sequence[Answer]) -> Answer:
    nothing = Answer(Got.NOT_SENT, "No: nothing was sent.")
    return max(found, key=lambda each: each.got.rank, default=nothing)


def _of_carrier(delivery: Delivery) -> Answer:
    """The answer for a delivery; for one that was collected or collapsed, that of the message that tells it."""
    entry: WindowEntry | None = getattr(delivery, "window_entry", None)
    told_by = entry.window.delivery if entry and delivery.state == State.CANCELLED else None
    if told_by is None or told_by.id == delivery.id or delivery.state_reason not in _TOLD_BY_ANOTHER:
        return _of_delivery(delivery)
    found = _of_delivery(told_by)
    return replace(found, text=f"{found.text.rstrip('.')}, together with other updates.")


def _of_delivery(delivery: Delivery) -> Answer:
    message: Message | None = getattr(delivery, "message", None)
    by = ContactChannel(delivery.channel).label
    if message and delivery.state == State.SUCCEEDED:
        return _of_message(message, by)
    reason = delivery.get_state_reason_display() or "no reason"
    if delivery.state == State.SUCCEEDED:
        return Answer(Got.SENT, f"{by} accepted it.", delivery.channel, delivery.finished_at)
    if delivery.state in WAITING or delivery.state == State.IN_FLIGHT:
        gathered = delivery.state_reason == Reason.GATHERED
        end = delivery.due_since if gathered else delivery.next_attempt_at
        until = f", until {end:%Y-%m-%d %H:%M:%S} UTC" if delivery.state == State.HELD else ""
        because = f" ({reason.lower()}{until})" if delivery.state_reason else ""
        return Answer(Got.WAITS, f"Not yet: it waits for {by}{because}.", delivery.channel, delivery.due_since)
    if delivery.state == State.DEAD:
        return Answer(Got.FAILED, f"No: {by} failed ({reason.lower()}).", delivery.channel, delivery.finished_at)
    return Answer(Got.NOT_SENT, f"No: not sent by {by} ({reason.lower()}).", delivery.channel, delivery.finished_at)


def _of_message(message: Message, by: str) -> Answer:
    steps = (
        (message.acknowledged_at, Got.ACKNOWLEDGED, f"Yes: acknowledged by {by}."),
        (message.read_at, Got.READ, f"Yes: read by {by}."),
        (message.bounced_at, Got.FAILED, f"No: {by} bounced ({message.failure or 'no reason given'})."),
        (message.delivered_at, Got.DELIVERED, f"Yes: delivered by {by}."),
        (message.failed_at, Got.FAILED, f"No: {by} failed ({message.failure or 'no reason given'})."),
    )
    for at, got, text in steps:
        if at:
            return Answer(got, text, message.channel, at)
    known = _AFTER_ACCEPTANCE[ContactChannel(message.channel).evidence]
    return Answer(Got.SENT, f"{by} accepted it{known}.", message.channel, message.sent_at or message.created_at)


def not_used(notification: Notification) -> list[tuple[str, str]]:
    """Channels on which nothing was sent, and why: as known when it was routed or was about to be sent."""
    entries = TraceEntry.objects.filter(
        event_id=notification.event_id, recipient=notification.recipient, what=TraceEntry.What.NOT_SENT
    ).exclude(channel="")
    said = {each.channel: each.text for each in entries.order_by("id")}
    skipped = Delivery.objects.filter(sending__notification=notification, state=State.SKIPPED).order_by("id")
    said |= {row.channel: (row.get_state_reason_display() or "skipped").lower() for row in skipped}
    return sorted((ContactChannel(channel).label, why.rpartition(": ")[2]) for channel, why in said.items())


def timeline(notification: Notification) -> list[Line]:
    """Every decision, attempt and status about one notification, oldest first."""
    deliveries = list(Sending.objects.filter(notification=notification).values_list("delivery_id", flat=True))
    entries = TraceEntry.objects.filter(event_id=notification.event_id).filter(
        recipient__in=[notification.recipient, ""]
    )
    lines = [Line(each.at, each.get_what_display(), each.channel, each.text, each.delivery_id) for each in entries]
    carriers = Window.objects.filter(entries__delivery__in=deliveries, delivery__isnull=False)
    told_by = set(carriers.values_list("delivery_id", flat=True)) - set(deliveries)
    more = TraceEntry.objects.filter(delivery__in=told_by).exclude(id__in=[each.id for each in entries])
    lines += [Line(each.at, each.get_what_display(), each.channel, each.text, each.delivery_id) for each in more]
    lines += _attempts([*deliveries, *told_by])
    return sorted(lines, key=lambda line: line.at)


def _attempts(deliveries: Sequence[UUID]) -> Iterable[Line]:
    for each in Attempt.objects.filter(delivery__in=deliveries).select_related("delivery"):
        said = each.error or (f"answered {each.status_code}" if each.status_code else "accepted it")
        text = f"attempt {each.number}: {each.outcome}, {said}, {each.milliseconds} ms"
        yield Line(each.started_at, "Attempt", each.delivery.channel, text, each.delivery_id)
