"""Everything that the page shows, read in one snapshot together with the position of its live channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from integrations.models import System
from integrations.vendors.families import BOOKING_TYPES
from notifications.wording.languages import Reader, reader
from wedsync.couple import last_seen
from wedsync.couple.content import day, emergency, happenings, words
from wedsync.couple.content.day import Guests, Supplier, TimelineEntry
from wedsync.couple.content.emergency import Emergency
from wedsync.couple.content.happenings import Happening
from wedsync.couple.last_seen import LastSeen
from wedsync.couple.models import LinkSession
from wedsync.database.snapshots import snapshot
from wedsync.ids import first_id_since
from wedsync.live.log.reader import ChannelKey, last_sequences, positions_of_state
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Contact, Wedding

UNSETTLED_FOR = timedelta(seconds=30)
MOST_BOOKINGS = 100


@dataclass(frozen=True)
class Page:
    """The page's state. ``settled``: no event waits to change the wedding.

    ``live``: the position from which the page misses nothing; ``last``: the last sequence that it shows.
    """

    wedding: Wedding
    contact: Contact
    words: Mapping[str, str]
    day: str
    countdown: str
    zone: str
    timeline: list[TimelineEntry]
    guests: Guests
    suppliers: list[Supplier]
    happenings: list[Happening]
    since: str
    changed: str
    emergency: Emergency | None
    live: dict[str, dict[str, Any]]
    last: int
    looked: LastSeen
    as_of_words: str
    stored_words: str
    settled: bool

    @property
    def fresh(self) -> list[Happening]:
        """What happened since the reader last looked."""
        return [each for each in self.happenings if each.fresh]


def channel_of(wedding: Wedding) -> str:
    """The channel that the page follows."""
    return f"couple:dashboard:{wedding.id}"


def reader_of(session: LinkSession) -> Reader:
    """How the page is written: in the language chosen on it, else in the contact's."""
    contact = session.link.contact
    return reader(session.language or contact.locale, session.link.wedding.timezone)


def read(session: LinkSession, looked: LastSeen | None = None) -> Page:
    """The page's state now.

    Arguments:
        looked: what the reader had seen before the visit that goes on; by default what they have seen up to now.
    """
    with snapshot():
        return _read(session, looked or last_seen.of(session.link.contact, channel_of(session.link.wedding)))


def _read(session: LinkSession, looked: LastSeen) -> Page:
    wedding, contact, now = session.link.wedding, session.link.contact, timezone.now()
    wedding.refresh_from_db()
    read_by, name = reader_of(session), channel_of(wedding)
    said = words.words_of(read_by.language)
    key = ChannelKey(wedding.organization_id, name)
    happened = happenings.on_channel(name, contact, looked.sequence, now, read_by)
    fresh = sum(each.fresh for each in happened)
    return Page(
        wedding=wedding,
        contact=contact,
        words=said,
        day=words.day(wedding.date, read_by),
        countdown=day.countdown(wedding, now, read_by, said),
        zone=said["local_time"].format(zone=day.zone_in_words(wedding, read_by)),
        timeline=day.timeline(wedding, now, read_by),
        guests=day.guests(wedding, read_by, said),
        suppliers=_suppliers(wedding, read_by, said),
        happenings=happened,
        since=said["since_at"].format(when=words.moment(looked.at, now, read_by)) if looked.at else said["since"],
        changed=words.counted(said, "changes", fresh) if fresh else said["nothing_new"],
        emergency=emergency.of_wedding(wedding, now, read_by, said),
        live=positions_of_state(wedding.organization_id, [name], [wedding.id]),
        last=last_sequences([key]).get(key, 0),
        looked=looked,
        as_of_words=said["as_of"].format(time=words.clock(now, read_by)),
        stored_words=said["stored"].format(time=words.clock(now, read_by)),
        settled=not _is_waiting(wedding, now),
    )


def _suppliers(wedding: Wedding, read_by: Reader, said: Mapping[str, str]) -> list[Supplier]:
    same = {"organization_id": wedding.organization_id}
    booked = ChannelEvent.objects.filter(wedding=wedding, type__in=BOOKING_TYPES, **same)
    bookings = list(booked.order_by("-id")[:MOST_BOOKINGS])[::-1]
    systems = System.objects.filter(id__in={each.source_system_id for each in bookings}, **same)
    people = Contact.objects.filter(wedding=wedding, **same)
    return day.suppliers(people, bookings, dict(systems.values_list("id", "kind")), read_by, said)


def _is_waiting(wedding: Wedding, now: datetime) -> bool:
    """Whether an event that was just received has not changed the wedding or opened its incident yet."""
    recent = ChannelEvent.objects.filter(wedding=wedding, id__gte=first_id_since(now - UNSETTLED_FOR))
    return recent.filter(Q(effect="pending") | Q(routing="pending")).exists()
