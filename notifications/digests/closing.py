"""Closes windows: what was collected is sent as one message, on its own, or not at all.

A round of the sweep. Any number may run at once; each window is decided in one transaction, so a process that dies
midway has decided nothing, and a delivery that nobody releases in time is sent on its own (docs/adr/0048).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from integrations.deliveries.rows import expiry
from integrations.deliveries.state_changes import change
from integrations.models import Delivery, DeliveryReason
from integrations.states import Reason, State
from notifications import fallback, sweep_rounds
from notifications.consent import wishes
from notifications.digests.windows import DIGEST_KEY
from notifications.models import Sending, TraceEntry, Window, WindowEntry
from notifications.rules.merging import came_to_nothing
from notifications.trace import recording
from notifications.trace.recording import What
from wedsync.live.event_types.catalogue import type_of
from wedsync.live.fan_out import hints
from wedsync.queues import Priority

BATCH = 200
POSTPONED = timedelta(minutes=1)
ToldAs = WindowEntry.ToldAs


@dataclass(frozen=True)
class Item:
    """One thing to tell: an event, or all changes of one subject, oldest first."""

    entries: Sequence[WindowEntry]

    @property
    def last(self) -> WindowEntry:
        """The entry that represents them all."""
        return self.entries[-1]

    @property
    def older(self) -> Sequence[WindowEntry]:
        """The entries that the last one replaces."""
        return self.entries[:-1]

    @property
    def is_nothing(self) -> bool:
        """Whether the changes cancel each other out."""
        return came_to_nothing([entry.event.payload for entry in self.entries])


@dataclass
class _Decided:
    """The outcome for a window's entries; ``notes`` are stored with it."""

    moved: dict[tuple[State, Reason], list[UUID]] = field(default_factory=dict)
    outcomes: dict[ToldAs, list[UUID]] = field(default_factory=dict)
    notes: list[tuple[WindowEntry, What, str]] = field(default_factory=list)

    def end(
        self, entries: Iterable[WindowEntry], outcome: ToldAs, what: What, text: str, reason: Reason | None = None
    ) -> None:
        """Decide on entries; ``reason``: why their deliveries are cancelled, ``None`` where they are not."""
        for entry in entries:
            self.outcomes.setdefault(outcome, []).append(entry.id)
            self.notes.append((entry, what, text))
            if reason:
                state = State.SKIPPED if reason == Reason.NOT_WANTED else State.CANCELLED
                self.moved.setdefault((state, reason), []).append(entry.delivery_id)


def items_of(entries: Sequence[WindowEntry]) -> list[Item]:
    """What there is to tell, ordered by each item's last event. ``entries``: oldest first."""
    groups: dict[object, list[WindowEntry]] = {}
    for entry in entries:
        groups.setdefault(entry.subject or entry.id, []).append(entry)
    return sorted((Item(group) for group in groups.values()), key=lambda item: item.last.event_id)


def close_due() -> int:
    """Close the windows that are due, one batch at most; returns how many.

    Raises:
        OperationalError, InterfaceError: PostgreSQL is away.
    """
    due = Window.objects.filter(closed_at=None, closes_at__lte=Now()).order_by("closes_at")
    later = {"is_open": False, "closes_at": Now() + POSTPONED}
    return sweep_rounds.work_off(
        due, close, broken="window_not_closed", requests="entries__event__correlation_id", batch=BATCH, **later
    )


@transaction.atomic
def close(window_id: UUID) -> bool:
    """Close a window that is due; false where another process has it, or one of its deliveries, locked."""
    window = (
        Window.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(id=window_id, closed_at=None, closes_at__lte=Now())
        .first()
    )
    if window is None:
        return False
    entries = list(window.entries.select_related("delivery__contact", "event__wedding").order_by("event_id"))
    waiting = _take(entry.delivery_id for entry in entries)
    if waiting is None:
        return False
    window.delivery = _decide(window, entries, waiting)
    window.is_open, window.closed_at = False, Now()
    window.save(update_fields=["delivery", "is_open", "closed_at"])
    return True


def _take(delivery_ids: Iterable[UUID]) -> set[UUID] | None:
    """The deliveries that still wait for the window, locked; ``None``: another process is changing one of them.

    Waiting for that process, which may wait for us, could deadlock; the next round sees the result.
    """
    rows = Delivery.objects.filter(id__in=list(delivery_ids), state=State.HELD, state_reason=Reason.GATHERED)
    free = set(rows.select_for_update(skip_locked=True).values_list("id", flat=True))
    return free if set(rows.values_list("id", flat=True)) <= free else None


def _decide(window: Window, entries: Sequence[WindowEntry], waiting: set[UUID]) -> Delivery | None:
    """Decide what is told, and store that; returns the delivery that tells it."""
    decided = _Decided()
    gone = [entry for entry in entries if entry.delivery_id not in waiting]
    decided.end(gone, ToldAs.LEFT, What.GATHERED, "Called off or gone before the window closed.")
    there = _still_wanted([entry for entry in entries if entry.delivery_id in waiting], decided)
    items = items_of(there)
    told = [item for item in items if not item.is_nothing]
    for item in (item for item in items if item.is_nothing):
        text = "It was changed back before it was told, so nothing is sent."
        decided.end(item.older, ToldAs.TAKEN_BACK, What.COLLAPSED, text, Reason.SUPERSEDED)
        decided.end([item.last], ToldAs.TAKEN_BACK, What.COLLAPSED, text, Reason.TAKEN_BACK)
    for item in told:
        text = f"Replaced by a newer change of the same thing, which tells of both: {item.last.delivery_id}."
        decided.end(item.older, ToldAs.COLLAPSED, What.COLLAPSED, text, Reason.SUPERSEDED)
    sent = _send(window, told, decided)
    _write(decided)
    return sent


def _still_wanted(entries: Sequence[WindowEntry], decided: _Decided) -> list[WindowEntry]:
    """Without what the contact has since unsubscribed from: a digest is later checked only as a whole."""
    contacts = {entry.delivery.contact for entry in entries if entry.delivery.contact}
    categories = {type_of(entry.event.type).category for entry in entries}
    unwanted = {each for category in categories for each in wishes.unwanted(contacts, category)} if contacts else set()
    refused = [
        entry
        for entry in entries
        if entry.delivery.contact_id
        and (entry.delivery.contact_id, type_of(entry.event.type).category, entry.channel) in unwanted
    ]
    decided.end(refused, ToldAs.LEFT, What.NOT_SENT, "No longer wanted.", Reason.NOT_WANTED)
    return [entry for entry in entries if entry not in refused]


def _send(window: Window, told: Sequence[Item], decided: _Decided) -> Delivery | None:
    """Send nothing, the only item on its own, or a digest of several."""
    if not told:
        return None
    if len(told) > 1:
        digest = _make_digest(window, told)
        others = len(told) - 1
        text = f"In one message with {others} other{'s' if others > 1 else ''}: {digest.id}."
        members = [item.last for item in told]
        decided.end(members, ToldAs.IN_MESSAGE, What.GATHERED, text, Reason.IN_DIGEST)
        return digest
    last, older = told[0].last, len(told[0].older)
    what = What.COLLAPSED if older else What.GATHERED
    text = f"Sent together with {older} older change{'s' if older > 1 else ''} of it." if older else "Sent on its own."
    decided.end([last], ToldAs.WENT_ALONE, what, text)
    row = Delivery.objects.filter(id=last.delivery_id, state_reason=Reason.GATHERED)
    change(row, State.HELD, Reason.NONE, next_attempt_at=Now(), due_since=Now())
    hints.delivery_due(last.delivery_id, last.delivery.priority, last.delivery.system_id)
    return last.delivery


def _make_digest(window: Window, told: Sequence[Item]) -> Delivery:
    newest = told[-1].last.delivery
    event, now = told[-1].last.event, timezone.now()
    digest = Delivery.objects.create(
        organization_id=window.organization_id,
        event=event,
        system_id=newest.system_id,
        contact_id=newest.contact_id,
        channel=window.channel,
        target=window.target,
        dedupe_key=Delivery.key(window.id, DIGEST_KEY, window.target, window.channel),
        priority=Priority.LOW,
        expires_at=expiry(event, window.channel, Priority.LOW, now),
        due_since=now,
    )
    members = [entry.delivery_id for item in told for entry in item.entries]
    asked = DeliveryReason.objects.filter(delivery_id__in=members).values_list("route_id", "route_name")
    DeliveryReason.objects.bulk_create(
        [DeliveryReason(delivery=digest, route_id=route, route_name=name) for route, name in dict(asked).items()]
    )
    hints.delivery_due(digest.id, digest.priority, digest.system_id)
    return digest


def _write(decided: _Decided) -> None:
    for (state, reason), ids in decided.moved.items():
        change(Delivery.objects.filter(id__in=ids, state_reason=Reason.GATHERED), state, reason)
    for outcome, ids in decided.outcomes.items():
        WindowEntry.objects.filter(id__in=ids).update(outcome=outcome)
    notes = decided.notes
    sendings = Sending.objects.filter(delivery_id__in=[entry.delivery_id for entry, _, _ in notes])
    carried = {sending.delivery_id: sending for sending in sendings.select_related("notification")}
    recording.store(_traced(carried.get(entry.delivery_id), entry, what, text) for entry, what, text in notes)
    for notification_id in sorted({sending.notification_id for sending in carried.values()}):
        fallback.judge(notification_id)


def _traced(sending: Sending | None, entry: WindowEntry, what: What, text: str) -> TraceEntry:
    delivery = entry.delivery
    if sending:
        return recording.of_notification(sending.notification, what, text, delivery=delivery)
    note = recording.of_event(delivery.organization_id, delivery.event_id, what, text)
    note.delivery_id, note.contact_id, note.channel = delivery.id, delivery.contact_id, delivery.channel
    note.recipient = f"contact:{delivery.contact_id}" if delivery.contact_id else f"team:{delivery.system_id}"
    return note
