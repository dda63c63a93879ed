"""When PostgreSQL is away: not the fault of what was asked, which may be asked again."""

import time

from django.db import Error, InterfaceError, OperationalError

POSTGRES_AWAY = (OperationalError, InterfaceError)
"""It restarts, does not answer or ends a deadlock; or the connection was ended while nobody used it."""

AWAY_CODES = frozenset(
    {
        "25006",  # read_only_sql_transaction: a standby, or a server that somebody has made read-only
        "25P03",  # idle_in_transaction_session_timeout: our process stood still with a transaction open
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
    """Whether PostgreSQL has lately refused a write of this process for want of room. Reading would not show it."""

    def __init__(self) -> None:
        self._until = 0.0

    def note(self, error: BaseException) -> None:
        """Remember an error, where it says that there is no room."""
        if code_of(error) in NO_ROOM:
            self._until = time.monotonic() + REMEMBERED

    @property
    def are_recent(self) -> bool:
        """Within the last ten seconds."""
        return time.monotonic() < self._until


write_refusals = WriteRefusals()


def code_of(error: BaseException) -> str | None:
    """The SQLSTATE of an error of Django's or psycopg2's; ``None`` where the server said nothing."""
    for each in (error, error.__cause__):
        if code := getattr(each, "pgcode", None):
            return str(code)
    return None


def lock_is_held(error: BaseException) -> bool:
    """Whether a statement gave up because another session kept a row locked for longer than its patience."""
    return isinstance(error, Error) and code_of(error) == LOCK_NOT_AVAILABLE
