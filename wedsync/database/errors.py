"""Errors of PostgreSQL being away: not the statement's fault, so it may be tried again."""

import time

from django.db import Error, InterfaceError, OperationalError

POSTGRES_AWAY = (OperationalError, InterfaceError)
"""PostgreSQL restarts, does not answer or ends a deadlock; or an idle connection was closed."""

AWAY_CODES = frozenset(
    {
        "25006",  # read_only_sql_transaction: a standby, or a server made read-only
        "25P03",  # idle_in_transaction_session_timeout: our process stalled in an open transaction
        "25P04",  # transaction_timeout
    }
)
"""SQLSTATEs of PostgreSQL being away that psycopg2 does not count among its operational errors.

:mod:`wedsync.database.pooled` and :mod:`wedsync.database.async_connection` raise them as such.
https://www.postgresql.org/docs/current/errcodes-appendix.html
"""
LOCK_NOT_AVAILABLE = "55P03"
NO_ROOM = frozenset({"53100", "53200"})  # disk_full, out_of_memory
REMEMBERED = 10.0  # seconds


class WriteRefusals:
    """Whether PostgreSQL has recently refused a write of this process for lack of space, which reads do not reveal."""

    def __init__(self) -> None:
        self._until = 0.0

    def note(self, error: BaseException) -> None:
        """Remember an error that says that there is no space."""
        if code_of(error) in NO_ROOM:
            self._until = time.monotonic() + REMEMBERED

    @property
    def are_recent(self) -> bool:
        """Whether there was one within the last ten seconds."""
        return time.monotonic() < self._until


write_refusals = WriteRefusals()


def code_of(error: BaseException) -> str | None:
    """The SQLSTATE of an error from Django or psycopg2; ``None`` where the server gave none."""
    for each in (error, error.__cause__):
        if code := getattr(each, "pgcode", None):
            return str(code)
    return None


def lock_is_held(error: BaseException) -> bool:
    """Whether a statement gave up because another session kept a lock for longer than its time-out."""
    return isinstance(error, Error) and code_of(error) == LOCK_NOT_AVAILABLE
