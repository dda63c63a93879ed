"""Passes: what a client may do on which channels, whichever way it was admitted.

A pass never allows more than all of those that stand behind it: a contact that an API key names may do what both may.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from wedsync.live.access.bearers import Bearer, Person, account_mark
from wedsync.live.access.rights import rights_of_contact, rights_of_key
from wedsync.live.channels import one_covers
from wedsync.weddings.models import ApiKey, ApiScope, Contact, Membership, PersonalLink
from wedsync.wire.strict_json import is_storable

OPS = "ops:"


class Right(StrEnum):
    """What a client may be allowed to do on the channels that its pass covers."""

    READ = "read"
    PUBLISH = "publish"
    PRESENCE = "presence"
    SEEN = "seen"


_OF_SCOPES = {
    ApiScope.LIVE_READ: Right.READ,
    ApiScope.LIVE_PUBLISH: Right.PUBLISH,
    ApiScope.LIVE_PRESENCE: Right.PRESENCE,
    ApiScope.LIVE_SEEN: Right.SEEN,
}
_OF_ROLES = {
    Membership.Role.SUPPORT: frozenset({Right.READ, Right.PRESENCE}),
    Membership.Role.PLANNER: frozenset({Right.READ, Right.PRESENCE, Right.PUBLISH}),
    Membership.Role.OWNER: frozenset({Right.READ, Right.PRESENCE, Right.PUBLISH}),
}
_OF_CONTACTS = frozenset({Right.READ, Right.PRESENCE, Right.SEEN})


@dataclass(frozen=True)
class Pass:
    """What one client may do.

    ``bearer``, ``rights``: who is behind it, and by which rights it was admitted (:mod:`wedsync.live.access.rights`).
    ``channels``: the only channels, as patterns; ``within``: those of the key behind it; ``None``: all of the
    organization's, but those of ``ops:`` only with ``sees_ops``. ``may_do``: what it may do there.
    """

    organization_id: UUID
    bearer: Bearer
    rights: frozenset[str]
    channels: frozenset[str] | None = None
    within: frozenset[str] | None = None
    sees_ops: bool = False
    may_do: frozenset[Right] = frozenset({Right.READ})

    def covers(self, name: str) -> bool:
        """Whether anything may be done on this channel."""
        if name.startswith(OPS) and not self.sees_ops:
            return False
        return all(patterns is None or one_covers(patterns, name) for patterns in (self.channels, self.within))

    def may(self, right: Right) -> bool:
        """Whether this may be done, on the channels that it covers."""
        return right in self.may_do

    @property
    def person(self) -> Person:
        """Who is behind it."""
        return self.bearer.person

    @property
    def is_staff(self) -> bool:
        """Whether a member of staff is behind it."""
        return self.bearer.membership_id is not None


def of_key(
    key: ApiKey,
    channels: Collection[str] | None = None,
    *,
    contact: Contact | None = None,
    membership: Membership | None = None,
) -> Pass:
    """The pass of an API key's holder, or of a person that the key names. ``channels``: the only ones, as patterns."""
    may_do = frozenset(right for scope, right in _OF_SCOPES.items() if scope in key.scopes)
    rights, name = rights_of_key(key), key.name
    chosen = None if channels is None else frozenset(channels)
    if contact:
        may_do, rights, name = may_do & _OF_CONTACTS, rights | rights_of_contact(contact), contact.name
        chosen = _of_contact(contact, chosen)
    if membership:
        may_do, rights = may_do & _OF_ROLES[Membership.Role(membership.role)], rights | {str(membership.role)}
        name = name_of(membership)
    return Pass(
        key.organization_id,
        Bearer(
            api_key_id=key.id,
            membership_id=membership.id if membership else None,
            contact_id=contact.id if contact else None,
            name=name,
        ),
        rights,
        chosen,
        frozenset(key.channels) if key.channels else None,
        sees_ops=ApiScope.HEALTH_READ in key.scopes and contact is None,
        may_do=may_do,
    )


def of_link(link: PersonalLink, channels: Collection[str] | None = None) -> Pass | None:
    """The pass of the contact behind a personal link, which may be used; ``None``: it is about another wedding."""
    contact = link.contact
    if link.wedding_id != contact.wedding_id or link.purpose != PersonalLink.Purpose.PAGE:
        return None
    return Pass(
        link.organization_id,
        Bearer(contact_id=contact.id, link_id=link.id, name=contact.name),
        rights_of_contact(contact),
        _of_contact(contact, None if channels is None else frozenset(channels)),
        may_do=_OF_CONTACTS,
    )


def of_session(user_id: int, organization: str, session_key: str, password: str) -> Pass | None:
    """A member of staff's pass: for the named organization, else for the first that the user belongs to.

    ``organization``: its slug; ``password``: the hash that the account has.
    """
    if not is_storable(organization):
        return None
    memberships = Membership.objects.filter(user_id=user_id, user__is_active=True, user__is_staff=True)
    if organization:
        memberships = memberships.filter(organization__slug=organization)
    membership = memberships.select_related("user").order_by("id").first()
    if membership is None:
        return None
    return Pass(
        membership.organization_id,
        Bearer(
            membership_id=membership.id,
            session_key=session_key,
            account=account_mark(password),
            name=name_of(membership),
        ),
        frozenset({membership.role}),
        sees_ops=True,
        may_do=_OF_ROLES[Membership.Role(membership.role)],
    )


def name_of(membership: Membership) -> str:
    """A member of staff's name, for people."""
    return membership.user.get_full_name() or membership.user.get_username()


def open_to(contact: Contact) -> frozenset[str]:
    """The channels of which a contact may be given some: the couple its own wedding's, a supplier its dashboard."""
    if contact.role == Contact.Role.COUPLE:
        return frozenset({f"couple:*:{contact.wedding_id}"})
    return frozenset({"supplier:dashboard:*"})


def _of_contact(contact: Contact, chosen: frozenset[str] | None) -> frozenset[str]:
    """The chosen patterns that are open to a contact; a couple's are all of them by default, others' none."""
    if chosen is None:
        return open_to(contact) if contact.role == Contact.Role.COUPLE else frozenset()
    return frozenset(pattern for pattern in chosen if is_open_to(contact, pattern))


def is_open_to(contact: Contact, pattern: str) -> bool:
    """Whether a contact may be given a channel, or all that a pattern covers. Of suppliers only one dashboard each."""
    if contact.role != Contact.Role.COUPLE and ("*" in pattern or "{" in pattern):
        return False
    return one_covers(open_to(contact), pattern)
