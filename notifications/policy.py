"""Who may be told how and when. Pure: the caller looks the facts up."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from integrations.states import Reason
from wedsync.queues import Priority
from wedsync.weddings.models import Address, Channel, Contact

PERSONAL = (Channel.WHATSAPP, Channel.EMAIL)


def channels_for(contact: Contact, named: Sequence[str], standing: Mapping[Channel, Reason]) -> list[Channel]:
    """The channels to use. ``named``: the route's; none: the first that the person prefers and can be reached on.

    ``standing``: why each channel is blocked, an empty text where it is not.
    """
    if named:
        return [channel for channel in PERSONAL if channel in named and contact.address(channel)]
    preferred = [Channel(name) for name in contact.preferred_channels] or list(PERSONAL)
    open_ones = [channel for channel in preferred if contact.address(channel) and not standing.get(channel)]
    return open_ones[:1]


def blocked_because(channel: Channel, address: Address | None) -> Reason:
    """Why an address must not be used; no row means that nobody consented to WhatsApp, and nothing against mail."""
    return Reason((address or Address(channel=channel)).blocked_because)


def quiet_until(contact: Contact, priority: Priority, now: datetime) -> datetime | None:
    """The end of the contact's quiet hours, when ``now`` lies in them. Urgent passes."""
    if contact.quiet_from is None or contact.quiet_until is None or priority == Priority.URGENT:
        return None
    local = now.astimezone(ZoneInfo(contact.timezone))
    starts, ends = contact.quiet_from, contact.quiet_until
    over_midnight = ends <= starts
    time = local.time()
    quiet = (time >= starts or time < ends) if over_midnight else starts <= time < ends
    if not quiet:
        return None
    day = local.date() + timedelta(days=1) if over_midnight and time >= starts else local.date()
    return datetime.combine(day, ends, local.tzinfo)
