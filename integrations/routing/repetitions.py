"""A system is not told again what it already knows, so that two systems that repeat what they hear do not go on
forever (docs/adr/0076).

Judged from rows while an event is planned: what its systems were told, and what they told us, about the same wedding
and the same fields in the last minutes. Reads only.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from integrations.models import Delivery, System
from integrations.states import Reason, State
from integrations.vendors.families import BOOKING_TYPES, STATUS_OF
from wedsync.ids import first_id_since
from wedsync.live.event_types.catalogue import Category, type_of
from wedsync.live.models import ChannelEvent

ALWAYS_TOLD = frozenset({Category.EMERGENCIES, Category.PAYMENTS, Category.OPERATIONS})
MOST = 100  # earlier events of one wedding and kind that are considered
_NOT_TOLD = (State.SKIPPED, State.CANCELLED, State.DEAD)
_FIELDS: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(BOOKING_TYPES, ("status", "date", "notes")),
    **dict.fromkeys(
        ("venue.setup_scheduled", "venue.catering_updated", "venue.space_assigned"),
        ("starts_at", "requirements", "space"),
    ),
    **dict.fromkeys(("gallery.ready", "gallery.delivered"), ("gallery_url", "photo_count")),
    "client.updated": ("name", "email", "phone"),
    "guest_count.changed": ("guest_count",),
    "venue.capacity_updated": ("capacity",),
    "wedding.date_changed": ("date",),
}


@dataclass(frozen=True)
class ToldBefore:
    """The contents of an event. ``thing``: its sender's id for the booking or client that it is about, if any."""

    type: str
    source: UUID | None
    thing: str | None
    fields: Mapping[str, Any]

    @classmethod
    def of(cls, event_type: str, source: UUID | None, payload: Mapping[str, Any]) -> "ToldBefore":
        """The values as systems compare them: without those that differ when the same change is reported twice."""
        if event_type == "timeline.updated":
            fields = {change["field"]: change["after"] for change in payload.get("changes", ())}
            fields |= {"schedule": payload["schedule"]} if payload.get("schedule") is not None else {}
        else:
            fields = {name: payload[name] for name in _FIELDS.get(event_type, ()) if payload.get(name) is not None}
        if event_type in STATUS_OF:
            fields["status"] = STATUS_OF[event_type]
        thing = payload.get("booking_id") or payload.get("client_id")
        return cls(event_type, source, str(thing) if thing else None, fields)

    def is_about_the_same(self, other: "ToldBefore") -> bool:
        """Whether both are about the same booking or client, judged by their senders' ids."""
        return self.thing == other.thing and (self.thing is None or self.source == other.source)


@dataclass(frozen=True)
class _Earlier:
    at: UUID
    statement: ToldBefore
    told_to: Collection[UUID]


def judge(event: ChannelEvent, systems: Iterable[System], now: datetime) -> dict[UUID, Reason]:
    """The systems that must not be told of an event, by id, with the reason."""
    longest = max(settings.ECHO_SECONDS, settings.LOOP_SECONDS)
    if event.wedding_id is None or type_of(event.type).category in ALWAYS_TOLD or longest <= 0:
        return {}
    statement = ToldBefore.of(event.type, event.source_system_id, event.payload)
    targets = {system.id: system for system in systems}
    if not statement.fields or not targets:
        return {}
    speakers = {*targets, statement.source} if statement.source else set(targets)
    earlier = _earlier(event, event.wedding_id, now - timedelta(seconds=longest), speakers)
    if not earlier:
        return {}
    lately = _since(earlier, now, settings.ECHO_SECONDS)
    echoes = statement.source is not None and _knows(statement.source, statement, lately, told_only=True)
    found: dict[UUID, Reason] = {}
    for system in targets.values():
        if _is_known_to(system, statement, lately, echoes=echoes):
            found[system.id] = Reason.ALREADY_KNOWN
        elif _turns(statement, system.id, _since(earlier, now, settings.LOOP_SECONDS)) > settings.LOOP_TURNS:
            found[system.id] = Reason.LOOP_STOPPED
    return found


def _earlier(event: ChannelEvent, wedding_id: UUID, since: datetime, systems: Collection[UUID]) -> list[_Earlier]:
    """Earlier events of the same kind, newest first, each with the systems that were told of it."""
    family = BOOKING_TYPES if event.type in BOOKING_TYPES else {event.type}
    rows = list(
        ChannelEvent.objects.filter(
            organization_id=event.organization_id,
            wedding_id=wedding_id,
            type__in=family,
            id__gte=first_id_since(since),
            id__lt=event.id,
        )
        .order_by("-id")
        .values_list("id", "type", "source_system_id", "payload")[:MOST]
    )
    if not rows:
        return []
    deliveries = Delivery.objects.filter(event_id__in=[row[0] for row in rows], system_id__in=systems)
    told: dict[UUID, set[UUID]] = {}
    for event_id, system_id in deliveries.exclude(state__in=_NOT_TOLD).values_list("event_id", "system_id"):
        told.setdefault(event_id, set()).add(system_id)
    return [
        _Earlier(key, ToldBefore.of(kind, source, payload), told.get(key, ())) for key, kind, source, payload in rows
    ]


def _since(earlier: Sequence[_Earlier], now: datetime, seconds: float) -> list[_Earlier]:
    first = first_id_since(now - timedelta(seconds=seconds))
    return [each for each in earlier if each.at >= first]


def _is_known_to(system: System, statement: ToldBefore, earlier: Sequence[_Earlier], *, echoes: bool) -> bool:
    """Whether the last values of these fields that the system was told, or told us, are the same.

    A signed webhook receives each event as it is: for it only the same type about the same thing counts as the same,
    and only if the event sets a state.
    """
    if system.kind != System.Kind.WEBHOOK:
        return _knows(system.id, statement, earlier, same=lambda other: echoes or other.is_about_the_same(statement))
    if statement.type == "booking.created" or statement.type.startswith("gallery."):
        return False
    return _knows(
        system.id,
        statement,
        earlier,
        same=lambda other: other.type == statement.type and other.is_about_the_same(statement),
    )


def _knows(
    system_id: UUID,
    statement: ToldBefore,
    earlier: Sequence[_Earlier],
    *,
    same: Callable[[ToldBefore], bool] = lambda _: True,
    told_only: bool = False,
) -> bool:
    """Whether the last value of each field exchanged between a system and us is this one, about the ``same`` thing.

    Any other event in between counts as another value, even if about another booking: telling twice is better than
    not telling.
    """
    last: dict[str, tuple[Any, bool]] = {}
    for each in earlier:
        if system_id in each.told_to or (each.statement.source == system_id and not told_only):
            is_same = same(each.statement)
            last = {name: (value, is_same) for name, value in each.statement.fields.items()} | last
    return all(last.get(name) == (value, True) for name, value in statement.fields.items())


def _turns(statement: ToldBefore, system_id: UUID, earlier: Sequence[_Earlier]) -> int:
    """How often the event's sender and a system have answered each other about these fields, this event included."""
    if statement.source is None or settings.LOOP_TURNS <= 0:
        return 0
    turns, speaker = 1, statement.source
    for each in earlier:
        listener = system_id if each.statement.source == statement.source else statement.source
        if each.statement.source not in {statement.source, system_id} or listener not in each.told_to:
            continue
        if each.statement.source != speaker and statement.fields.keys() & each.statement.fields.keys():
            turns, speaker = turns + 1, each.statement.source
    return turns
