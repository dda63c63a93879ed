"""Whose rights keep a client's connection open, and which person is behind it."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class PersonKind(StrEnum):
    """What stands behind a connection."""

    USER = "user"  # a member of staff
    CONTACT = "contact"
    KEY = "key"


@dataclass(frozen=True)
class Person:
    """Somebody who follows channels; all connections of one person are equal here.

    ``id``: of the membership, the contact or the API key.
    """

    kind: PersonKind
    id: UUID
    name: str = field(default="", compare=False)


@dataclass(frozen=True)
class Bearer:
    """Whose rights keep a connection open: those of all that are named here.

    An API key; or a member of staff with a session; or a contact behind a personal link; or a member or a contact that
    a key names. ``account``: a hash of the account's password, since a new password ends earlier sessions.
    """

    api_key_id: UUID | None = None
    membership_id: UUID | None = None
    session_key: str = ""
    account: str = ""
    contact_id: UUID | None = None
    link_id: UUID | None = None
    name: str = field(default="", compare=False)

    @property
    def person(self) -> Person:
        """Who it is: the person that is named, else the key."""
        if self.contact_id:
            return Person(PersonKind.CONTACT, self.contact_id, self.name)
        if self.membership_id:
            return Person(PersonKind.USER, self.membership_id, self.name)
        if self.api_key_id:
            return Person(PersonKind.KEY, self.api_key_id, self.name)
        raise ValueError("a bearer names a key, a member or a contact")

    @property
    def holder(self) -> UUID:
        """The id of whose quota a connection counts against: the key, else the person."""
        return self.api_key_id or self.person.id

    @property
    def parts(self) -> list[tuple[str, str]]:
        """All that must keep its rights: the id of each, with its session if it has one."""
        rows = [
            (self.api_key_id, ""),
            (self.membership_id, self.session_key),
            (self.contact_id, ""),
            (self.link_id, ""),
        ]
        return [(str(id_), session) for id_, session in rows if id_]


def account_mark(password: str) -> str:
    """What a :class:`Bearer` stores of an account's password."""
    return hashlib.sha256(password.encode()).hexdigest()
