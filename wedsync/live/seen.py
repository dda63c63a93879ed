"""What contacts have had on a screen: the highest sequence of each channel, and those above this app who follow it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from wedsync.live.access import passes
from wedsync.live.access.passes import Pass, Right
from wedsync.live.models import Channel, Seen
from wedsync.weddings.models import Contact

_NOTE = """
INSERT INTO live_seen (channel_id, contact_id, sequence, seen_at)
VALUES (%s, %s, %s, now())
ON CONFLICT (channel_id, contact_id) DO UPDATE SET sequence = EXCLUDED.sequence, seen_at = EXCLUDED.seen_at
WHERE live_seen.sequence < EXCLUDED.sequence
RETURNING seen_at
"""


class SeenForbidden(Exception):
    """The client may not report this; the text says why."""


class SeenRefused(Exception):
    """The report cannot be true. ``field``: the one that is wrong."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field, self.reason = field, reason


@dataclass(frozen=True)
class NewlySeen:
    """The events of a channel after ``before``, up to ``sequence``, that a contact now has had on a screen."""

    contact: Contact
    channel: Channel
    before: int
    sequence: int
    at: datetime


followers: list[Callable[[NewlySeen], None]] = []
"""Called in the transaction of each report that says something new; the apps above add theirs when they start."""


def report(pass_: Pass, name: str, sequence: int, contact_id: UUID | None = None) -> bool:
    """A client has shown a contact everything up to a sequence; whether that is new.

    Arguments:
        contact_id: whom, if the client is an API key; otherwise it is the pass's own contact.

    Raises:
        SeenForbidden: the client may not say so.
        SeenRefused: there is no such contact or sequence.
    """
    if not pass_.may(Right.SEEN) or not pass_.covers(name):
        raise SeenForbidden("this ticket or key does not cover that channel, or may not report what was seen")
    own = pass_.bearer.contact_id
    if own and contact_id not in (None, own):
        raise SeenRefused("contact", "must be the ticket's own, or omitted")
    shown_to = own or contact_id
    if shown_to is None:
        raise SeenRefused("contact", "is missing: a key names whom it has shown the event")
    contact = Contact.objects.filter(id=shown_to, organization_id=pass_.organization_id).first()
    if contact is None or not passes.is_open_to(contact, name):
        raise SeenRefused("contact", "is nobody to whom this channel is open")
    return note(contact, name, sequence)


@transaction.atomic
def note(contact: Contact, name: str, sequence: int) -> bool:
    """Note that a contact has seen a channel up to a sequence; whether that is more than before.

    Raises:
        SeenRefused: the channel has no such sequence.
    """
    channel = Channel.objects.filter(organization_id=contact.organization_id, name=name).first()
    if channel is None or not 1 <= sequence <= channel.last_sequence:
        raise SeenRefused("sequence", "is none of this channel's")
    rows = Seen.objects.select_for_update(no_key=True).filter(channel=channel, contact=contact)
    before = rows.values_list("sequence", flat=True).first() or 0
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [str(channel.id), str(contact.id), sequence])
        found = cursor.fetchone()
    if found is None:
        return False
    for follower in followers:
        follower(NewlySeen(contact, channel, before, sequence, found[0]))
    return True
