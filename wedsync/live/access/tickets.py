"""Tickets: each admits one client, once, within a minute; in a URL, or as ``Authorization: Bearer``.

A ticket may be in a URL, since it is worthless afterwards. It never allows more than its key, contact, member or link
allows when it is used.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from wedsync.live.access import passes, ticket_texts
from wedsync.live.access.passes import Pass, Right
from wedsync.live.channels import one_covers
from wedsync.live.models import Ticket
from wedsync.weddings import personal_links
from wedsync.weddings.models import ApiKey, ApiScope, Contact, Membership, PersonalLink


class MayNotFollow(Exception):
    """A ticket is good, but nobody may follow channels by it any more."""


class NotCovered(ValueError):
    """The ticket's key or person may not use a pattern."""

    def __init__(self, pattern: str, text: str) -> None:
        super().__init__(text)
        self.pattern = pattern


class LinkEnded(Exception):
    """The link is revoked, has expired, or is not its contact's any more."""


def issue(
    organization_id: UUID,
    *,
    api_key_id: UUID,
    channels: Sequence[str] | None = None,
    contact: Contact | None = None,
    membership: Membership | None = None,
) -> tuple[str, datetime]:
    """Create a ticket; returns its text, which is stored nowhere, and when it expires.

    Arguments:
        channels: the only channels, as patterns.
        contact, membership: the person that the key names, instead of its own holder.
    """
    return _store(
        Ticket(
            organization_id=organization_id,
            api_key_id=api_key_id,
            contact=contact,
            membership=membership,
            wedding_id=contact.wedding_id if contact else None,
            channels=None if channels is None else list(channels),
        )
    )


def issue_for_contact(contact_id: UUID, link_id: UUID) -> tuple[str, datetime]:
    """Create a ticket for the contact behind a personal link: the wedding's own channels, ``couple:*:<wedding>``.

    Raises:
        LinkEnded: the link admits nobody any more, or does not belong to the contact.
    """
    link = _usable(link_id)
    if link is None or link.contact_id != contact_id or (pass_ := passes.of_link(link)) is None:
        raise LinkEnded
    return _store(
        Ticket(
            organization_id=link.organization_id,
            link=link,
            contact_id=contact_id,
            wedding_id=link.wedding_id,
            channels=sorted(pass_.channels or ()),
        )
    )


def check_channels(key: ApiKey, patterns: Sequence[str], contact: Contact | None = None) -> None:
    """Whether a ticket may name these patterns.

    Raises:
        NotCovered: the key or the contact may not use one of them.
    """
    for pattern in patterns:
        if pattern.startswith(passes.OPS) and ApiScope.HEALTH_READ not in key.scopes:
            raise NotCovered(
                pattern, f"channels of {passes.OPS} need a key with the scope {ApiScope.HEALTH_READ.value}"
            )
        if key.channels and not one_covers(key.channels, pattern):
            raise NotCovered(pattern, "your key does not cover it")
        if contact and not passes.is_open_to(contact, pattern):
            raise NotCovered(pattern, f"not open to this contact; open: {_open_to(contact)}")


def _open_to(contact: Contact) -> str:
    couple = contact.role == Contact.Role.COUPLE
    return ", ".join(passes.open_to(contact)) if couple else "supplier:dashboard:<system>"


def redeem(text: str) -> Pass | None:
    """Use up a ticket, in one conditional write. ``None``: unknown, expired or used.

    Raises:
        MayNotFollow: its key, contact, member or link has lost the right, or has ended.
    """
    if not ticket_texts.is_ours(text):
        return None
    digest = ticket_texts.digest(text)
    unused = Ticket.objects.filter(token_hash=digest, is_stream_token=False, used_at=None, expires_at__gt=Now())
    return pass_of(digest) if unused.update(used_at=Now()) else None


def pass_of(digest: str) -> Pass:
    """What a ticket that is good allows now.

    Raises:
        MayNotFollow: its key, contact, member or link has lost the right, or has ended.
    """
    rows = Ticket.objects.select_related("api_key", "contact", "membership__user")
    alive = Q(api_key=None) | Q(api_key__expires_at=None) | Q(api_key__expires_at__gt=Now())
    ticket = rows.filter(alive, token_hash=digest).first()
    pass_ = _pass_of(ticket) if ticket else None
    if pass_ is None or not pass_.may(Right.READ):
        raise MayNotFollow("whoever the ticket is for may not follow channels any more")
    return pass_


def of_bearer(text: str) -> Pass | None:
    """The pass for ``Authorization: Bearer``: of a ticket, which is used up, or of an API key. ``None``: neither.

    Raises:
        MayNotFollow: it is a ticket by which nobody may follow any more.
    """
    if text.startswith(ticket_texts.PREFIX):
        return redeem(text)
    alive = Q(expires_at=None) | Q(expires_at__gt=Now())
    key = ApiKey.objects.filter(alive, key_hash=ApiKey.hash_of(text)).first()
    return passes.of_key(key) if key else None


def _pass_of(ticket: Ticket) -> Pass | None:
    contact, membership = ticket.contact, ticket.membership
    if contact and contact.wedding_id != ticket.wedding_id:
        return None
    if membership and not (membership.user.is_active and membership.user.is_staff):
        return None
    if ticket.api_key:
        return passes.of_key(ticket.api_key, ticket.channels, contact=contact, membership=membership)
    link = _usable(ticket.link_id) if ticket.link_id else None
    return passes.of_link(link, ticket.channels) if link else None


def _usable(link_id: UUID) -> PersonalLink | None:
    return personal_links.usable().select_related("contact").filter(id=link_id).first()


def _store(ticket: Ticket) -> tuple[str, datetime]:
    text = ticket_texts.new()
    ticket.token_hash = ticket_texts.digest(text)
    ticket.expires_at = timezone.now() + timedelta(seconds=settings.TICKET_SECONDS)
    ticket.save(force_insert=True)
    return text, ticket.expires_at


def prune() -> int:
    """Delete expired tickets; returns how many."""
    return Ticket.objects.filter(expires_at__lt=Now()).delete()[0]
