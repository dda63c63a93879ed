"""What a contact has been shown of a channel, so that the page can say what is new."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from wedsync.live.models import Seen
from wedsync.weddings.models import Contact

_NOTE = """
INSERT INTO live_seen (channel_id, contact_id, sequence, seen_at)
SELECT id, %(contact)s, %(sequence)s, now() FROM live_channel
WHERE organization_id = %(organization)s AND name = %(name)s AND %(sequence)s BETWEEN 1 AND last_sequence
ON CONFLICT (channel_id, contact_id) DO UPDATE SET sequence = EXCLUDED.sequence, seen_at = EXCLUDED.seen_at
WHERE live_seen.sequence < EXCLUDED.sequence
"""


@dataclass(frozen=True)
class Looked:
    """The last sequence that somebody was shown, and when; 0 and ``None``: nothing yet."""

    sequence: int = 0
    at: datetime | None = None


def last(contact: Contact, channel_name: str) -> Looked:
    """The last that a contact was shown of a channel."""
    same = {"channel__organization_id": contact.organization_id, "channel__name": channel_name}
    row = Seen.objects.filter(contact=contact, **same).first()
    return Looked(row.sequence, row.seen_at) if row else Looked()


def note(contact: Contact, channel_name: str, sequence: int) -> None:
    """Note that a contact was shown a sequence; a lower one than before, or one to come, changes nothing."""
    said: dict[str, Any] = {
        "contact": contact.id,
        "organization": contact.organization_id,
        "name": channel_name,
        "sequence": sequence,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, said)


def given(fields: Mapping[str, str]) -> Looked | None:
    """What an open page says of the visit before, in ``since`` and ``looked``; ``None``: nothing that can be read."""
    since = fields.get("since", "")
    if not (since.isascii() and since.isdigit() and len(since) < 19):
        return None
    try:
        at = datetime.fromisoformat(fields.get("looked", ""))
    except ValueError:
        return Looked(int(since))
    return Looked(int(since), at if at.tzinfo else None)
