"""Today's weddings, each by its venue's clock, and which of them an emergency without a wedding can be about."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from integrations.models import Connection
from wedsync.live.models import ChannelEvent
from wedsync.weddings.day import is_wedding_day
from wedsync.weddings.models import Wedding

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Guess:
    """What can be guessed about an emergency whose wedding is unknown.

    Arguments:
        trouble: as in :class:`wedsync.live.event_types.own_payloads.WeddingUnknown`.
        wedding: the only one that it can be about; ``None``: there is none, or there are several.
        at_once: it names no booking, so nothing contradicts that wedding.
        in_time: it names an unknown booking; the wedding is alerted unless staff answer in time.
    """

    trouble: str
    wedding: Wedding | None = None
    at_once: bool = False
    in_time: bool = False


def guess(event: ChannelEvent, now: datetime) -> Guess:
    """What can be guessed about an unlinked emergency. One that names a wedding itself is never given another.

    What a paused connection sends goes to no wedding unless staff choose one.
    """
    if event.payload.get("wedding_id"):
        return Guess("wedding_not_ours")
    named = bool(event.payload.get("booking_id") or event.payload.get("client_id"))
    trouble = "booking_unknown" if named else "no_wedding_named"
    known = of_system(event.organization_id, event.source_system_id, now) if event.source_system_id else []
    if len(known) != 1:
        return Guess(trouble)
    active = _is_active(event.source_connection_id)
    return Guess(trouble, known[0], at_once=active and not named, in_time=active and named)


def of_organization(organization_id: UUID, now: datetime) -> list[Wedding]:
    """An organization's weddings whose wedding day is now."""
    return _today(Q(organization_id=organization_id), now)


def of_system(organization_id: UUID, system_id: UUID, now: datetime) -> list[Wedding]:
    """Today's weddings that a system has a reference to, directly or through a contact."""
    known = Q(references__system_id=system_id) | Q(contacts__references__system_id=system_id)
    return _today(Q(organization_id=organization_id) & known, now)


def name(wedding: Wedding, now: datetime) -> str:
    """A wedding's name in the list that staff choose from: “Anna & Ben (today, Seehof)”."""
    day = "today" if is_wedding_day(wedding, now) else f"{wedding.date:%a %-d %B %Y}"
    return f"{wedding.couple} ({', '.join(part for part in (day, wedding.venue_name) if part)})"


def _today(which: Q, now: datetime) -> list[Wedding]:
    near = Wedding.objects.filter(which, date__range=(now.date() - 2 * _DAY, now.date() + _DAY)).distinct()
    return [wedding for wedding in near.order_by("id") if is_wedding_day(wedding, now)]


def _is_active(connection_id: str) -> bool:
    return Connection.objects.filter(id=connection_id, state=Connection.Status.ACTIVE).exists()
