"""Whether this process's clients may stay connected: the rights by which they were admitted are checked continually.

One query for all clients every two seconds, so that what is withdrawn (an API key, a membership, an account, a session,
a contact, a personal link) ends everywhere within five (docs/adr/0059).
"""

import asyncio
from collections.abc import Collection, Mapping
from typing import Protocol

import structlog
from django.conf import settings
from django.db import connection

from wedsync.live import threads
from wedsync.live.access.bearers import Bearer
from wedsync.live.close_codes import CloseCode
from wedsync.weddings import personal_links
from wedsync.weddings.models import ApiKey, Contact

log = structlog.get_logger(__name__)
LOOK_AT_LEAST_EVERY = 2.0  # seconds


class Guarded(Protocol):
    """A client, with its bearer and the rights it was admitted with: a key's scopes, or a role."""

    @property
    def bearer(self) -> Bearer:
        """Whose rights keep it connected."""

    @property
    def rights(self) -> frozenset[str]:
        """The rights it was admitted with."""

    def end(self, code: CloseCode, reason: str) -> None:
        """End it; nothing more is sent."""


_CURRENT_RIGHTS = """
SELECT api_key.id::text, '', api_key.scopes::text[] || coalesce(
    (SELECT array_agg('channels ' || pattern) FROM unnest(api_key.channels) pattern), ARRAY['channels *:*:*'])
FROM weddings_apikey api_key
WHERE api_key.id = ANY(%(keys)s::uuid[]) AND (api_key.expires_at IS NULL OR api_key.expires_at > now())
UNION ALL
SELECT membership.id::text, held.session_key, ARRAY[membership.role::text]
FROM unnest(%(memberships)s::uuid[], %(sessions)s::text[], %(accounts)s::text[]) AS held (id, session_key, account)
JOIN weddings_membership membership ON membership.id = held.id
JOIN auth_user ON auth_user.id = membership.user_id AND auth_user.is_active AND auth_user.is_staff
    AND (held.session_key = '' OR encode(sha256(convert_to(auth_user.password, 'UTF8')), 'hex') = held.account)
LEFT JOIN django_session ON django_session.session_key = held.session_key AND django_session.expire_date > now()
WHERE held.session_key = '' OR django_session.session_key IS NOT NULL
UNION ALL
SELECT contact.id::text, '', ARRAY[contact.role || ' of ' || contact.wedding_id]
FROM weddings_contact contact WHERE contact.id = ANY(%(contacts)s::uuid[])
UNION ALL
SELECT link.id::text, '', ARRAY[]::text[]
FROM weddings_personallink link
JOIN weddings_contact contact ON contact.id = link.contact_id AND contact.wedding_id = link.wedding_id
    AND contact.role = ANY(%(readers)s)
WHERE link.id = ANY(%(links)s::uuid[]) AND link.revoked_at IS NULL AND link.expires_at > now()
"""
EVERY_CHANNEL = "*:*:*"
CurrentRights = Mapping[tuple[str, str], frozenset[str]]


def rights_of_key(key: ApiKey) -> frozenset[str]:
    """The rights of a key as they are compared: its scopes and its patterns."""
    return frozenset((*key.scopes, *(f"channels {pattern}" for pattern in key.channels or [EVERY_CHANNEL])))


def rights_of_contact(contact: Contact) -> frozenset[str]:
    """The rights of a contact as they are compared: those of its role at its wedding."""
    return frozenset({f"{contact.role} of {contact.wedding_id}"})


def current_rights(bearers: Collection[Bearer]) -> CurrentRights:
    """The current rights of each part of the bearers, by id and session; parts that are gone are omitted. One query."""
    staff = [each for each in bearers if each.membership_id]
    given = {
        "keys": [str(each.api_key_id) for each in bearers if each.api_key_id],
        "memberships": [str(each.membership_id) for each in staff],
        "sessions": [each.session_key for each in staff],
        "accounts": [each.account for each in staff],
        "contacts": [str(each.contact_id) for each in bearers if each.contact_id],
        "links": [str(each.link_id) for each in bearers if each.link_id],
        "readers": sorted(personal_links.READERS),
    }
    with connection.cursor() as cursor:
        cursor.execute(_CURRENT_RIGHTS, given)
        return {(id_, session): frozenset(rights) for id_, session, rights in cursor.fetchall()}


def reason_to_close(client: Guarded, now: CurrentRights) -> tuple[CloseCode, str] | None:
    """The code and reason for ending a client; ``None``: it may stay."""
    parts = client.bearer.parts
    if not parts or any(part not in now for part in parts):
        return CloseCode.RIGHT_WITHDRAWN, "the key, membership, account, session, contact or link is gone"
    if not client.rights <= frozenset().union(*(now[part] for part in parts)):
        return CloseCode.RIGHTS_CHANGED, "the key, membership or contact allows less than before"
    return None


class Guard:
    """All connected clients of this process."""

    def __init__(self) -> None:
        self._clients: set[Guarded] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, client: Guarded) -> None:
        """Begin to check a client's rights."""
        self._clients.add(client)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._watch())

    def remove(self, client: Guarded) -> None:
        """Forget a client that has ended."""
        self._clients.discard(client)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(min(settings.FOLLOW_SECONDS, LOOK_AT_LEAST_EVERY))
            if not self._clients:
                continue
            try:
                now = await threads.entrance.run(current_rights, {client.bearer for client in self._clients})
            except Exception as error:  # PostgreSQL is away, so the clients get nothing anyway
                log.warning("rights_not_read", error=type(error).__name__)
                continue
            self._end_those_without(now)

    def _end_those_without(self, now: CurrentRights) -> None:
        for client in tuple(self._clients):
            if found := reason_to_close(client, now):
                self.remove(client)
                client.end(*found)


guard = Guard()
