"""Who may be told how and when. Pure: the caller looks the facts up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from integrations.models import Delivery
from integrations.states import Reason
from wedsync.queues import Priority
from wedsync.weddings.models import Address, Contact, ContactChannel

PERSONAL = ContactChannel.personal()


@dataclass(frozen=True)
class ContactPoint:
    """One channel to a person. ``against``: why it must not be used; empty where nothing is against it."""

    channel: ContactChannel
    contact: Contact
    address: str
    against: Reason = Reason.NONE


def preferred(contact: Contact, points: Iterable[ContactPoint], *, urgent: bool = False) -> list[ContactPoint]:
    """The contact points in the order that the person wants: those that they name, or all where they name none.

    Urgent news may come by the others too, after these.
    """
    named = [name for name in contact.preferred_channels if name in PERSONAL]
    order = [*named, *(name for name in PERSONAL if name not in named and (urgent or not named))]
    found = list(points)
    return [point for name in order for point in found if point.channel == name]


def by_one_channel(points: Sequence[ContactPoint]) -> list[ContactPoint]:
    """Of contact points in their order, those of the first channel that may be used: one email, every phone.

    Where none may be used, the first, so that staff see what is against it.
    """
    first = first_open(points)
    if first is None:
        return list(points[:1])
    return [point for point in points if point.channel == first.channel and not point.against]


def first_open(points: Sequence[ContactPoint]) -> ContactPoint | None:
    """The first that may be used."""
    return next((point for point in points if not point.against), None)


def blocked_because(channel: ContactChannel, address: Address | None) -> Reason:
    """Why an address must not be used; no row: nothing is against it, where the channel needs no consent."""
    return Reason((address or Address(channel=channel)).blocked_because)


def quiet_order(delivery: Delivery) -> tuple[str, list[str]]:
    """The order key and the state of what is held through quiet hours: of one person and channel, one by one.

    Each sets something of its own, so that none of them stands for another.
    """
    return f"quiet:{delivery.contact_id}:{delivery.channel}", [f"event {delivery.event_id}"]


def quiet_until(contact: Contact, priority: Priority, now: datetime) -> datetime | None:
    """The end of the contact's quiet hours, when ``now`` (aware) lies in them, in UTC. Urgent passes.

    The contact's wall clock counts. An hour that the clock leaves out ends with the jump; one that comes twice is quiet
    both times.
    """
    if contact.quiet_from is None or contact.quiet_until is None or priority == Priority.URGENT:
        return None
    local = now.astimezone(ZoneInfo(contact.timezone))
    starts, ends = contact.quiet_from, contact.quiet_until
    if starts == ends:
        return None
    over_midnight = ends <= starts
    time = local.time()
    quiet = (time >= starts or time < ends) if over_midnight else starts <= time < ends
    if not quiet:
        return None
    day = local.date() + timedelta(days=1) if over_midnight and time >= starts else local.date()
    return _instant(datetime.combine(day, ends, local.tzinfo), now)


def _instant(wall: datetime, now: datetime) -> datetime:
    """The instant at which the wall clock first reaches this time after ``now``; where it jumps over it, the jump."""
    early, late = sorted(wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if early.astimezone(wall.tzinfo).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return early if early > now else late  # the first of two, unless now lies between them
    offset = early.astimezone(wall.tzinfo).utcoffset()
    while late - early > timedelta(microseconds=1):
        middle = early + (late - early) / 2
        if middle.astimezone(wall.tzinfo).utcoffset() == offset:
            early = middle
        else:
            late = middle
    return late
