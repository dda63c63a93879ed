"""Tickets: each opens one socket, once, within a minute. A ticket may be in a URL, since it is worthless afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from wedsync.live.access import ticket_texts
from wedsync.live.access.rights import Bearer
from wedsync.live.models import Ticket
from wedsync.weddings.models import ApiScope


class MayNotFollow(Exception):
    """A ticket is good, but its bearer may not follow channels any more."""


@dataclass(frozen=True)
class Pass:
    """What a socket may see: one organization's channels, or only some of them.

    ``bearer``, ``rights``: whose rights admitted it, and what they were (:mod:`wedsync.live.access.rights`).
    """

    organization_id: UUID
    bearer: Bearer
    rights: frozenset[str]
    channels: frozenset[str] | None = None

    def covers(self, name: str) -> bool:
        """Whether this channel may be followed."""
        return self.channels is None or name in self.channels


def issue(
    organization_id: UUID,
    *,
    api_key_id: UUID,
    channels: Sequence[str] | None = None,
) -> tuple[str, datetime]:
    """Create a ticket; returns its text, which is stored nowhere, and when it expires."""
    text = ticket_texts.new()
    expires_at = timezone.now() + timedelta(seconds=settings.TICKET_SECONDS)
    Ticket.objects.create(
        token_hash=ticket_texts.digest(text),
        organization_id=organization_id,
        api_key_id=api_key_id,
        channels=None if channels is None else list(channels),
        expires_at=expires_at,
    )
    return text, expires_at


def redeem(text: str) -> Pass | None:
    """Use up a ticket, in one conditional write. ``None``: unknown, expired or used.

    Raises:
        MayNotFollow: its key has lost the right, or has expired.
    """
    if not ticket_texts.is_ours(text):
        return None
    digest = ticket_texts.digest(text)
    taken = Ticket.objects.filter(token_hash=digest, used_at=None, expires_at__gt=Now()).update(used_at=Now())
    if not taken:
        return None
    ticket = (
        Ticket.objects.select_related("api_key")
        .filter(Q(api_key__expires_at=None) | Q(api_key__expires_at__gt=Now()), token_hash=digest)
        .filter(api_key__scopes__contains=[ApiScope.LIVE_READ])
        .first()
    )
    if ticket is None:
        raise MayNotFollow(f"the ticket's key has expired or lacks the scope {ApiScope.LIVE_READ}")
    return Pass(
        ticket.organization_id,
        Bearer(api_key_id=ticket.api_key_id),
        frozenset(ticket.api_key.scopes),
        None if ticket.channels is None else frozenset(ticket.channels),
    )


def prune() -> int:
    """Delete expired tickets; returns how many."""
    return Ticket.objects.filter(expires_at__lt=Now()).delete()[0]
