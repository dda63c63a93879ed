"""Whether this process's sockets may stay open: the rights by which they were admitted are checked continually.

One query for all sockets every two seconds, so that what is withdrawn (an API key, a membership, an account, a session)
ends everywhere within five (docs/adr/0059).
"""

import asyncio
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection

from wedsync.live import threads
from wedsync.live.close_codes import CloseCode

log = structlog.get_logger(__name__)
LOOK_AT_LEAST_EVERY = 2.0  # seconds


@dataclass(frozen=True)
class Bearer:
    """Whose rights keep a socket open: an API key's, or those of a member of staff with a session.

    ``account``: a hash of the account's password, since a new password ends earlier sessions.
    """

    api_key_id: UUID | None = None
    membership_id: UUID | None = None
    session_key: str = ""
    account: str = ""

    @property
    def holder(self) -> UUID:
        """The id of whom it is: the key or the membership."""
        found = self.api_key_id or self.membership_id
        assert found is not None  # noqa: S101  (a bearer is one of these)
        return found


def account_mark(password: str) -> str:
    """What a :class:`Bearer` stores of an account's password."""
    return hashlib.sha256(password.encode()).hexdigest()


class Guarded(Protocol):
    """A socket, with its bearer and the rights it was admitted with: a key's scopes, or a role."""

    @property
    def bearer(self) -> Bearer:
        """Whose rights keep it open."""

    @property
    def rights(self) -> frozenset[str]:
        """The rights it was admitted with."""

    def end(self, code: CloseCode, reason: str) -> None:
        """Close it; nothing more is sent."""


_CURRENT_RIGHTS = """
SELECT api_key.id::text, '', api_key.scopes::text[] FROM weddings_apikey api_key
WHERE api_key.id = ANY(%(keys)s::uuid[]) AND (api_key.expires_at IS NULL OR api_key.expires_at > now())
UNION ALL
SELECT membership.id::text, held.session_key, ARRAY[membership.role::text]
FROM unnest(%(memberships)s::uuid[], %(sessions)s::text[], %(accounts)s::text[]) AS held (id, session_key, account)
JOIN weddings_membership membership ON membership.id = held.id
JOIN auth_user ON auth_user.id = membership.user_id AND auth_user.is_active AND auth_user.is_staff
    AND encode(sha256(convert_to(auth_user.password, 'UTF8')), 'hex') = held.account
JOIN django_session ON django_session.session_key = held.session_key AND django_session.expire_date > now()
"""
CurrentRights = Mapping[tuple[str, str], frozenset[str]]


def current_rights(bearers: Collection[Bearer]) -> CurrentRights:
    """Each bearer's current rights, by id and session; bearers that are gone are omitted. One query."""
    keys = [str(each.api_key_id) for each in bearers if each.api_key_id]
    staff = [each for each in bearers if each.membership_id]
    given = {
        "keys": keys,
        "memberships": [str(each.membership_id) for each in staff],
        "sessions": [each.session_key for each in staff],
        "accounts": [each.account for each in staff],
    }
    with connection.cursor() as cursor:
        cursor.execute(_CURRENT_RIGHTS, given)
        return {(id_, session): frozenset(rights) for id_, session, rights in cursor.fetchall()}


def reason_to_close(socket: Guarded, now: CurrentRights) -> tuple[CloseCode, str] | None:
    """The code and reason for closing a socket; ``None``: it may stay."""
    bearer = socket.bearer
    rights = now.get((str(bearer.api_key_id or bearer.membership_id), bearer.session_key))
    if rights is None:
        return CloseCode.RIGHT_WITHDRAWN, "the key, membership, account or session is gone"
    if not socket.rights <= rights:
        return CloseCode.RIGHTS_CHANGED, "the key or membership allows less than before"
    return None


class Guard:
    """All open sockets of this process."""

    def __init__(self) -> None:
        self._sockets: set[Guarded] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, socket: Guarded) -> None:
        """Start watching a socket."""
        self._sockets.add(socket)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._watch())

    def remove(self, socket: Guarded) -> None:
        """Stop watching a closed socket."""
        self._sockets.discard(socket)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(min(settings.FOLLOW_SECONDS, LOOK_AT_LEAST_EVERY))
            if not self._sockets:
                continue
            try:
                now = await threads.entrance.run(current_rights, {socket.bearer for socket in self._sockets})
            except Exception as error:  # PostgreSQL is away, so the sockets get nothing anyway
                log.warning("rights_not_read", error=type(error).__name__)
                continue
            self._end_those_without(now)

    def _end_those_without(self, now: CurrentRights) -> None:
        for socket in tuple(self._sockets):
            if found := reason_to_close(socket, now):
                self.remove(socket)
                socket.end(*found)


guard = Guard()
