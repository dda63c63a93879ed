"""Who may be told, how and when. Pure: the caller looks the facts up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from integrations.models import Delivery
from integrations.registry.targets import PlannedDelivery
from integrations.states import Reason
from wedsync.queues import Priority
from wedsync.weddings.models import Address, Contact, ContactChannel

PERSONAL = ContactChannel.personal()
UNPROVEN = ContactChannel.unproven()


@dataclass(frozen=True)
class ContactPoint:
    """One channel to a person. ``against``: why it must not be used; empty where it may be."""

    channel: ContactChannel
    contact: Contact
    address: str
    against: Reason = Reason.NONE


def preferred(contact: Contact, points: Iterable[ContactPoint], *, urgent: bool = False) -> list[ContactPoint]:
    """The contact points in the person's order of preference: those they name, or all where they name none.

    Urgent messages may use the others too, after these.
    """
    named = [name for name in contact.preferred_channels if name in PERSONAL]
    order = [*named, *(name for name in PERSONAL if name not in named and (urgent or not named))]
    found = list(points)
    return [point for name in order for point in found if point.channel == name]


def by_one_channel(points: Sequence[ContactPoint]) -> list[ContactPoint]:
    """Of ordered contact points, those of the first channel that may be used: one email address, every phone.

    Beside it those of channels on which nothing shows that a message has arrived (:data:`UNPROVEN`). Where none may be
    used, the first, so that staff see what blocks it.
    """
    first = first_open(points)
    if first is None:
        return list(points[:1])
    used = {first.channel, *UNPROVEN}
    return [point for point in points if point.channel in used and not point.against]


def first_open(points: Sequence[ContactPoint]) -> ContactPoint | None:
    """The first contact point that may be used; one of an :data:`UNPROVEN` channel only where there is no other."""
    usable = [point for point in points if not point.against]
    return next((point for point in usable if point.channel not in UNPROVEN), next(iter(usable), None))


def reaches_somebody(deliveries: Iterable[PlannedDelivery]) -> bool:
    """Whether planned deliveries of an emergency count as telling anybody at all."""
    return any(not planned.skipped and planned.channel not in UNPROVEN for planned in deliveries)


def blocked_because(channel: ContactChannel, address: Address | None) -> Reason:
    """Why an address must not be used; one without a row may be used where its channel needs no consent."""
    return Reason((address or Address(channel=channel)).blocked_because)


def quiet_order(delivery: Delivery) -> tuple[str, list[str]]:
    """The order key and the states of a delivery held during quiet hours: one person's channel sends one by one.

    Each sets a state of its own, so that none supersedes another.
    """
    return f"quiet:{delivery.contact_id}:{delivery.channel}", [f"event {delivery.event_id}"]


def quiet_until(contact: Contact, priority: Priority, now: datetime) -> datetime | None:
    """The end of the contact's quiet hours in UTC, if ``now`` (aware) is within them. Urgent is never held.

    The contact's wall clock counts. Quiet hours that end in a skipped hour end with the jump; an hour that occurs twice
    is quiet both times.
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
    """The instant after ``now`` when the wall clock first shows this time; if it skips the time, the skip itself."""
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
