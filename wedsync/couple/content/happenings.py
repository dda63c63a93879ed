"""What has happened on the couple's channel, in the reader's words."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime

from notifications import wording
from notifications.wording.languages import Reader
from wedsync.couple.content import words
from wedsync.live.models import ChannelEntry
from wedsync.templating.filters import CannotRender
from wedsync.weddings.models import Contact, ContactChannel

MOST_SHOWN = 15
MOST_FACTS = 4


@dataclass(frozen=True)
class Happening:
    """One event. ``fresh``: the reader has not been shown it before."""

    sequence: int
    event_id: str
    headline: str
    facts: Sequence[wording.content.Fact]
    link: tuple[str, str] | None
    at: datetime
    when: str
    urgent: bool
    fresh: bool


def on_channel(channel_name: str, contact: Contact, seen: int, now: datetime, reader: Reader) -> list[Happening]:
    """The newest events, newest first. ``seen``: the last sequence that the contact was shown."""
    entries = ChannelEntry.objects.filter(
        channel__organization_id=contact.organization_id, channel__name=channel_name
    ).select_related("event__wedding")
    spoken = copy(contact)
    spoken.locale = str(reader.locale).replace("_", "-")
    found = (_happening(each, spoken, seen, now, reader) for each in entries.order_by("-sequence")[:MOST_SHOWN])
    return [each for each in found if each]


def _happening(entry: ChannelEntry, contact: Contact, seen: int, now: datetime, reader: Reader) -> Happening | None:
    event = entry.event
    try:
        content = wording.write(wording.Subject(event, contact, ContactChannel.EMAIL))
    except (CannotRender, ValueError):  # no words fit what a sender wrote; the messages report it
        return None
    return Happening(
        entry.sequence,
        str(event.id),
        content.headline,
        content.facts[:MOST_FACTS],
        content.link,
        event.received_at,
        words.moment(event.received_at, now, reader),
        event.priority == "urgent",
        entry.sequence > seen,
    )
