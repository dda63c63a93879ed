"""Low-priority events are collected into digests; successive changes to one thing collapse into the latest.

Deliveries join windows here, in the routing's transaction, and messages read here what they must tell as a result.
:mod:`notifications.digests.closing` decides what is sent. See docs/staff/digests.md and docs/adr/0048.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from integrations.models import Delivery
from integrations.registry.senders import SYSTEM_CHANNEL
from integrations.states import Reason, State
from notifications.models import Window, WindowEntry
from notifications.rules import policy
from notifications.rules.merging import merged, subject_of
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority

DIGEST_KEY = "digest"
"""In a digest's ``dedupe_key``, this takes the place of the target's kind."""
GOES_ALONE_AFTER = timedelta(minutes=10)  # after the window's end, if no process has closed it
BEFORE_EXPIRY = timedelta(minutes=2)  # how long before its deliveries expire a window ends
LAST_MOMENT = timedelta(minutes=1)
Kind, ToldAs = Window.Kind, WindowEntry.ToldAs


class WindowKey(NamedTuple):
    """Which window a delivery belongs to."""

    wedding_id: UUID
    kind: str
    channel: str
    target: str
    subject: str


def hold(event: ChannelEvent, rows: Sequence[Delivery]) -> None:
    """Hold an event's deliveries that are to be collected, and open their windows.

    Called before they are stored, in the routing's transaction, after everything else that may end or hold them. From
    here to the commit only one event of a wedding is routed at a time, so that no window is opened twice.
    """
    wanted = {row.dedupe_key: row for row in rows if place_of(event, row) and _may_wait(row)}
    if not wanted:
        return
    for key in Delivery.objects.filter(dedupe_key__in=list(wanted)).values_list("dedupe_key", flat=True):
        del wanted[key]  # it was made before, and its window may be closed by now
    if not wanted:
        return
    at = _lock_joining(event)
    windows = _open_windows(event, list(wanted.values()), at)
    for row in wanted.values():
        place = place_of(event, row)
        window = windows.get(place) if place else None
        if window and window.closes_at + LAST_MOMENT < row.expires_at:
            row.state, row.state_reason = State.HELD, Reason.GATHERED
            row.next_attempt_at = min(window.closes_at + GOES_ALONE_AFTER, row.expires_at - LAST_MOMENT)
            row.due_since = window.closes_at


def enter(event: ChannelEvent, made: Mapping[str, Delivery]) -> None:
    """Store which windows an event's deliveries wait in. Called after they are stored, in the same transaction."""
    gathered = [row for row in made.values() if (row.state, row.state_reason) == (State.HELD, Reason.GATHERED)]
    if not gathered:
        return
    windows = {_place(window): window for window in _windows(event, gathered)}
    entries = []
    for row in gathered:
        place = place_of(event, row)
        if place and place in windows:
            entries.append(
                WindowEntry(
                    window=windows[place],
                    delivery=row,
                    event=event,
                    channel=row.channel,
                    target=row.target,
                    subject=_subject(event),
                )
            )
    WindowEntry.objects.bulk_create(entries, ignore_conflicts=True)  # routed again: the entry exists already


def place_of(event: ChannelEvent, row: Delivery) -> WindowKey | None:
    """The window for a delivery; ``None``: it is sent on its own, as is all that is high, urgent, or for a system."""
    if event.wedding_id is None or row.channel == SYSTEM_CHANNEL:
        return None
    if row.priority == Priority.LOW and settings.DIGEST_SECONDS > 0:
        return WindowKey(event.wedding_id, Kind.DIGEST, row.channel, row.target, "")
    if row.priority in {Priority.LOW, Priority.NORMAL} and settings.COLLAPSE_SECONDS > 0:
        subject = _subject(event)
        return WindowKey(event.wedding_id, Kind.COLLAPSE, row.channel, row.target, subject) if subject else None
    return None


def _may_wait(row: Delivery) -> bool:
    return row.state == State.PENDING or (row.state, row.state_reason) == (State.HELD, Reason.QUIET_HOURS)


def _subject(event: ChannelEvent) -> str:
    return subject_of(event.type, event.payload, str(event.source_system_id or ""))


def _place(window: Window) -> WindowKey:
    return WindowKey(window.wedding_id, window.kind, window.channel, window.target, window.subject)


def _lock_joining(event: ChannelEvent) -> datetime:
    """Wait until no other transaction joins windows of the wedding; returns PostgreSQL's time after the wait."""
    name = hashlib.blake2b(f"windows:{event.wedding_id}".encode(), digest_size=8).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(name, signed=True)])
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
    return at


def _windows(event: ChannelEvent, rows: Iterable[Delivery]) -> QuerySet[Window]:
    places = {place for row in rows if (place := place_of(event, row))}
    return Window.objects.filter(
        organization_id=event.organization_id,
        wedding_id__in={place.wedding_id for place in places},
        is_open=True,
        channel__in={place.channel for place in places},
        target__in={place.target for place in places},
        subject__in={place.subject for place in places},
    ).order_by("id")


def _open_windows(event: ChannelEvent, rows: Sequence[Delivery], at: datetime) -> dict[WindowKey, Window]:
    """The windows for these deliveries, locked against closing until the commit; missing ones are created.

    A window whose time has passed accepts no more: it is left to be closed, and another is opened.
    """
    found = list(_windows(event, rows).select_for_update())
    if passed := [window.id for window in found if window.closes_at <= at]:
        Window.objects.filter(id__in=passed).update(is_open=False)
    windows = {_place(window): window for window in found if window.closes_at > at}
    missing: dict[WindowKey, Window] = {}
    for row in rows:
        place = place_of(event, row)
        if place and place not in windows and place not in missing:
            closes_at = _closing(row, place.kind, at)
            if closes_at > at:
                missing[place] = Window(
                    organization_id=event.organization_id,
                    opens_at=at,
                    closes_at=closes_at,
                    **place._asdict(),
                )
    Window.objects.bulk_create(missing.values())
    return windows | missing


def _closing(row: Delivery, kind: str, at: datetime) -> datetime:
    """When a window that opens now ends: after its time, or at the end of quiet hours that the contact has by then."""
    seconds = settings.DIGEST_SECONDS if kind == Kind.DIGEST else settings.COLLAPSE_SECONDS
    ends = at + timedelta(seconds=seconds)
    if row.contact is not None:
        ends = policy.quiet_until(row.contact, Priority(row.priority), ends) or ends
    return min(ends, row.expires_at - BEFORE_EXPIRY)


def digest_of(delivery: Delivery) -> tuple[ChannelEvent, ...]:
    """The events that a digest tells of, oldest first; empty for an ordinary delivery.

    Of successive changes only the last is included; its payload, in memory only, spans the first to the last. This
    holds for every generation of the digest and every step of a plan.
    """
    window_id = digest_window(delivery)
    if window_id is None:
        return ()
    entries = list(
        WindowEntry.objects.filter(window_id=window_id, window__organization_id=delivery.organization_id)
        .filter(outcome__in=[ToldAs.IN_MESSAGE, ToldAs.COLLAPSED])
        .select_related("event__wedding")
        .order_by("event_id")
    )
    events = []
    for entry in entries:
        if entry.outcome == ToldAs.IN_MESSAGE:
            entry.event.payload = _whole_way(entry, entries)
            events.append(entry.event)
    return tuple(events)


def digest_window(delivery: Delivery) -> UUID | None:
    """The window whose digest this is; ``None``: it is not a digest."""
    first, kind, _ = delivery.dedupe_key.split(":", 2)
    return UUID(first) if kind == DIGEST_KEY else None


def merged_payload(delivery: Delivery) -> dict[str, object] | None:
    """The payload from the first to the last of the changes that a delivery tells of; ``None``: there is only one.

    This holds for every generation of the delivery, and for the same event on another channel.
    """
    if delivery.event.wedding_id is None:
        return None
    same = Q(channel=delivery.channel, target=delivery.target)
    if delivery.contact_id:
        same |= Q(delivery__contact_id=delivery.contact_id)
    found = WindowEntry.objects.filter(same, event_id=delivery.event_id, outcome=ToldAs.WENT_ALONE).exclude(subject="")
    nearest = min(found, key=lambda entry: entry.channel != delivery.channel, default=None)
    if nearest is None:
        return None
    entries = list(
        WindowEntry.objects.filter(window_id=nearest.window_id, subject=nearest.subject)
        .filter(Q(outcome=ToldAs.COLLAPSED) | Q(id=nearest.id))
        .select_related("event")
        .order_by("event_id")
    )
    return _whole_way(nearest, entries) if len(entries) > 1 else None


def _whole_way(last: WindowEntry, entries: Iterable[WindowEntry]) -> dict[str, object]:
    """The payload that spans an entry's event and the older changes of the same subject told with it."""
    same = [entry for entry in entries if last.subject and entry.subject == last.subject]
    return merged([entry.event.payload for entry in same]) if len(same) > 1 else last.event.payload
