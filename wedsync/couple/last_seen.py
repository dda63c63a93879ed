"""What a contact has been shown of a channel, so that the page can say what is new."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime

from wedsync.live import seen
from wedsync.live.models import Seen
from wedsync.live.seen import SeenRefused
from wedsync.weddings.models import Contact


@dataclass(frozen=True)
class LastSeen:
    """The last sequence that somebody was shown, and when; 0 and ``None``: nothing yet."""

    sequence: int = 0
    at: datetime | None = None


def of(contact: Contact, channel_name: str) -> LastSeen:
    """The last that a contact was shown of a channel."""
    same = {"channel__organization_id": contact.organization_id, "channel__name": channel_name}
    row = Seen.objects.filter(contact=contact, **same).first()
    return LastSeen(row.sequence, row.seen_at) if row else LastSeen()


def note(contact: Contact, channel_name: str, sequence: int) -> None:
    """Note that a contact was shown a sequence; a lower one than before, or one to come, changes nothing."""
    with suppress(SeenRefused):
        seen.note(contact, channel_name, sequence)


def given(fields: Mapping[str, str]) -> LastSeen | None:
    """What an open page says of the visit before, in ``since`` and ``looked``; ``None``: nothing that can be read."""
    since = fields.get("since", "")
    if not (since.isascii() and since.isdigit() and len(since) < 19):
        return None
    try:
        at = datetime.fromisoformat(fields.get("looked", ""))
    except ValueError:
        return LastSeen(int(since))
    is_in_every_zone = at.tzinfo is not None and MINYEAR < at.year < MAXYEAR
    return LastSeen(int(since), at if is_in_every_zone else None)
