"""Issues, reads and revokes personal links.

A token is signed, so that an invented one costs no query, and made from the link's id alone, so that every try of a
message contains the same link. The row decides whether it may still be used.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from wedsync.ids import new_id
from wedsync.weddings import devices
from wedsync.weddings.models import Contact, Device, PersonalLink, Wedding
from wedsync.weddings.personal_link_models import READERS as READERS

OPENS_FOR = timedelta(days=30)
KEPT_AFTER = timedelta(days=60)  # after the wedding, or after the link was issued, whichever is later
_ID_BYTES, _MARK_BYTES = 16, 16


class BadToken(ValueError):
    """Not one of ours, or damaged."""


def token_of(link_id: UUID) -> str:
    """The token of a link; 43 characters, safe in a URL."""
    return urlsafe_b64encode(link_id.bytes + _mark(link_id)).decode().rstrip("=")


def id_of(token: str) -> UUID:
    """The id of a token's link, which need not exist.

    Raises:
        BadToken: not one of ours, or damaged.
    """
    try:
        found = urlsafe_b64decode(f"{token}=".encode("ascii"))
        link_id = UUID(bytes=found[:_ID_BYTES])
    except ValueError as error:
        raise BadToken("This link is damaged or not one of ours.") from error
    if not constant_time_compare(found[_ID_BYTES:], _mark(link_id)) or token_of(link_id) != token:
        raise BadToken("This link is damaged or not one of ours.")
    return link_id


def issue(contact: Contact, link_id: UUID | None = None, *, requested: bool = False) -> PersonalLink:
    """A new link of a contact to the page; a link that already has the id ``link_id`` stays as it is."""
    made_of = link_id or new_id()
    link, _ = PersonalLink.objects.get_or_create(
        id=made_of,
        defaults={
            "organization_id": contact.organization_id,
            "wedding_id": contact.wedding_id,
            "contact": contact,
            "token_hash": _hash(token_of(made_of)),
            "opens_until": timezone.now() + OPENS_FOR,
            "expires_at": _end(contact.wedding),
            "requested": requested,
        },
    )
    return link


def calendar_of(contact: Contact) -> PersonalLink:
    """The contact's link of the calendar, issued if there is none that may still be used."""
    calendar = PersonalLink.Purpose.CALENDAR
    own = PersonalLink.objects.filter(contact=contact, purpose=calendar, revoked_at=None)
    return usable().filter(pk__in=own).first() or _fresh_calendar(contact, own)


def _fresh_calendar(contact: Contact, ended: QuerySet[PersonalLink]) -> PersonalLink:
    ended.update(revoked_at=Now(), revoked_by="WedSync")
    made = new_id()
    PersonalLink.objects.bulk_create(
        [
            PersonalLink(
                id=made,
                organization_id=contact.organization_id,
                wedding_id=contact.wedding_id,
                contact=contact,
                purpose=PersonalLink.Purpose.CALENDAR,
                token_hash=_hash(token_of(made)),
                opens_until=_end(contact.wedding),
                expires_at=_end(contact.wedding),
            )
        ],
        ignore_conflicts=True,  # another page of the same person may have been faster
    )
    return PersonalLink.objects.get(contact=contact, purpose=PersonalLink.Purpose.CALENDAR, revoked_at=None)


def usable() -> QuerySet[PersonalLink]:
    """The links that may be used now: of contacts who are still readers, at the wedding for which they were issued."""
    still = Q(contact__role__in=READERS, contact__wedding=F("wedding"))
    return PersonalLink.objects.filter(still, revoked_at=None, expires_at__gt=Now())


def with_token(token: str) -> Q:
    """Finds the row of a token.

    Raises:
        BadToken: not one of ours, or damaged.
    """
    return Q(id=id_of(token), token_hash=_hash(token))


@transaction.atomic
def revoke(links: QuerySet[PersonalLink], by: str) -> int:
    """Revoke links, with everything that they opened; returns how many were not revoked before."""
    devices.end(Device.objects.filter(link__in=links))
    return links.filter(revoked_at=None).update(revoked_at=Now(), revoked_by=by[:200])


def _end(wedding: Wedding) -> datetime:
    day = datetime.combine(wedding.date, time.min, UTC)
    return max(day, timezone.now()) + KEPT_AFTER


def _mark(link_id: UUID) -> bytes:
    return salted_hmac("wedsync.personal-link", link_id.bytes, algorithm="sha256").digest()[:_MARK_BYTES]


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
