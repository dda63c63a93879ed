"""The day's times, the guests and the suppliers, in words for the page. Pure but for the rows that it is given."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from babel import dates, numbers

from integrations.vendors import VENDORS
from integrations.vendors.families import BOOKING_TYPES, STATUS_OF, PhotographyCrm, VenueSystem
from notifications.wording.languages import Reader
from wedsync.couple.content import words
from wedsync.live.models import ChannelEvent
from wedsync.weddings import day
from wedsync.weddings.models import Contact, Wedding

OVER, NOW, NEXT = "over", "now", "next"
Words = Mapping[str, str]
_ROLES = (
    Contact.Role.COORDINATOR,
    Contact.Role.VENUE,
    Contact.Role.PHOTOGRAPHER,
    Contact.Role.CATERER,
    Contact.Role.VENDOR,
)


@dataclass(frozen=True)
class TimelineEntry:
    """One time of the day. ``state``: ``over``, ``now``, ``next``, or empty for what comes later."""

    name: str
    at: datetime
    clock: str
    state: str = ""


@dataclass(frozen=True)
class Guests:
    """How many are coming, and how many the venue has places for. ``note``: what that means, in words."""

    count: int | None
    capacity: int | None
    text: str
    note: str = ""

    @property
    def share(self) -> int | None:
        """The places that are taken, in percent; at most 100."""
        if self.count is None or not self.capacity:
            return None
        return min(100, round(100 * self.count / self.capacity))

    @property
    def too_many(self) -> bool:
        """Whether there are fewer places than guests."""
        return self.count is not None and self.capacity is not None and self.count > self.capacity


@dataclass(frozen=True)
class Supplier:
    """Somebody who is coming. ``status``: the status of their booking as our word; ``status_text``: in the reader's."""

    name: str
    role: str
    status: str = ""
    status_text: str = ""


def countdown(wedding: Wedding, now: datetime, reader: Reader, said: Words) -> str:
    """How far away the day is."""
    days = (wedding.date - now.astimezone(wedding.zone).date()).days
    if days < 0:
        return "" if day.is_wedding_day(wedding, now) else said["was_on"].format(day=words.day(wedding.date, reader))
    return said["today"] if days == 0 else said["tomorrow"] if days == 1 else said["in_days"].format(n=days)


def timeline(wedding: Wedding, now: datetime, reader: Reader) -> list[TimelineEntry]:
    """The times that are set, in order, each with its state."""
    times = {name: getattr(wedding, name) for name in ("ceremony_time", "reception_time")}
    instants = [(name, _instant(wedding, at)) for name, at in times.items() if at is not None]
    if (end := day.reception_end(wedding)) is not None:
        instants.append(("reception_end", end))
    instants.sort(key=lambda each: each[1].timestamp())
    return [
        TimelineEntry(reader.field(name), at, words.clock(at, reader), state)
        for (name, at), state in zip(instants, _states([at for _, at in instants], now), strict=True)
    ]


def _instant(wedding: Wedding, at: time) -> datetime:
    return datetime.combine(wedding.date, at, wedding.zone)


def _states(instants: Sequence[datetime], now: datetime) -> list[str]:
    """The last that has begun is going on, except for the last of all, which ends the day."""
    begun = sum(at.timestamp() <= now.timestamp() for at in instants)
    states = [OVER] * begun + [""] * (len(instants) - begun)
    if 0 < begun < len(instants):
        states[begun - 1] = NOW
    if begun < len(instants) and instants[begun] - now < timedelta(days=1):
        states[begun] = NEXT
    return states


def guests(wedding: Wedding, reader: Reader, said: Words) -> Guests:
    """The guests, and how many places are left."""
    count, capacity = wedding.guest_count, wedding.capacity
    if count is None:
        return Guests(count, capacity, said["guests_unknown"])
    if capacity is None:
        return Guests(count, capacity, words.counted(said, "guests_only", count))
    text = said["guests_of"].format(
        guests=numbers.format_decimal(count, locale=reader.locale),
        capacity=numbers.format_decimal(capacity, locale=reader.locale),
    )
    left = capacity - count
    note = said["full"] if left == 0 else words.counted(said, "places_left" if left > 0 else "too_many", abs(left))
    return Guests(count, capacity, text, note)


def suppliers(
    people: Iterable[Contact],
    bookings: Iterable[ChannelEvent],
    kinds: Mapping[object, str],
    reader: Reader,
    said: Words,
) -> list[Supplier]:
    """Those who are coming, by role, each with the newest status of the booking in a system of their kind.

    Arguments:
        bookings: events about bookings, oldest first.
        kinds: the kind of each system by its id.
    """
    statuses: dict[str, str] = {}
    for event in bookings:
        role = _role_of(kinds.get(event.source_system_id, ""))
        if role and event.type in BOOKING_TYPES:
            statuses[role] = STATUS_OF.get(event.type) or str(event.payload.get("status") or "")
    found = sorted(people, key=lambda each: (_place_of(each.role), each.name.casefold()))
    return [
        Supplier(
            each.name,
            said.get(f"role.{each.role}", each.role),
            status := statuses.get(each.role, ""),
            reader.word(status, "status") if status else "",
        )
        for each in found
        if each.role != Contact.Role.COUPLE
    ]


def _role_of(kind: str) -> str:
    match VENDORS.get(kind):
        case PhotographyCrm():
            return Contact.Role.PHOTOGRAPHER
        case VenueSystem():
            return Contact.Role.VENUE
        case _:
            return ""


def _place_of(role: str) -> int:
    return _ROLES.index(Contact.Role(role)) if role in _ROLES else len(_ROLES)


def zone_in_words(wedding: Wedding, reader: Reader) -> str:
    """The place that a time zone is named after, in the reader's language."""
    return str(dates.get_timezone_location(wedding.zone, locale=reader.locale, return_city=True))
