"""Tokens of streams: a ticket that opens a stream buys one, so that its page can come back without another ticket.

A token is a ticket that is not used up, has a longer life, and is replaced by a new one within the stream. It allows
what its ticket allowed, as long as those behind it have their rights. docs/adr/0105.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from wedsync.live.access import ticket_texts, tickets
from wedsync.live.access.passes import Pass
from wedsync.live.models import Ticket


@dataclass(frozen=True)
class StreamToken:
    """A new token; its text is stored nowhere."""

    text: str
    expires_at: datetime

    @property
    def digest(self) -> str:
        """What the next one is bought with."""
        return ticket_texts.digest(self.text)


def redeem(text: str) -> Pass | None:
    """The pass for a token, or for a ticket, which is used up. ``None``: unknown, used or expired.

    Raises:
        MayNotFollow: its holder may no longer follow channels.
    """
    if not ticket_texts.is_ours(text):
        return None
    if (pass_ := tickets.redeem(text)) is not None:
        return pass_
    digest = ticket_texts.digest(text)
    is_good = Ticket.objects.filter(token_hash=digest, is_stream_token=True, expires_at__gt=Now()).exists()
    return tickets.pass_of(digest) if is_good else None


def buy(digest: str) -> StreamToken | None:
    """A new token for the holder of a ticket or token. ``None``: it is gone, as after its key was deleted."""
    row = Ticket.objects.filter(token_hash=digest).first()
    if row is None:
        return None
    token = StreamToken(ticket_texts.new(), timezone.now() + timedelta(seconds=settings.STREAM_SECONDS))
    row.token_hash, row.expires_at = token.digest, token.expires_at
    row.used_at, row.is_stream_token = None, True
    row.save(force_insert=True)
    return token
