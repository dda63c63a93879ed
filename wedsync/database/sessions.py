"""Settings of each PostgreSQL session, made once right after it was opened (docs/adr/0078).

A machine that vanishes in the middle of a transaction cannot close its sessions, and its locks remain until PostgreSQL
notices: by default after two hours. These settings end them within 15 s. They are set by statements and not by libpq's
``options``, which poolers refuse. Over a Unix socket PostgreSQL ignores the settings for TCP.
"""

import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import psycopg2
import structlog
from django.conf import settings
from django.db import connection as own
from psycopg2 import extensions

log = structlog.get_logger(__name__)
ROUTING_PATIENCE_MILLISECONDS = 3_000
"""How long routing waits for a row that another session keeps locked."""

LIBPQ = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds
}
"""Our own end of the connection. https://www.postgresql.org/docs/current/libpq-connect.html"""

_ALL = {
    "client_connection_check_interval": "5s",  # the client may vanish in the middle of a query
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "15s",
}


class Role(StrEnum):
    """What a thread uses its sessions for.

    ``service``: the receiver, sockets and workers. ``pages``: pages and the API, for which somebody waits.
    ``sweep``: its rounds read everything, and leave locked rows for the next round.
    ``maintenance``: commands of an operator, such as ``migrate`` and ``shell``.
    """

    SERVICE = "service"
    PAGES = "pages"
    SWEEP = "sweep"
    MAINTENANCE = "maintenance"

    @property
    def settings(self) -> dict[str, str]:
        """PostgreSQL's settings for these sessions.

        https://www.postgresql.org/docs/current/runtime-config-client.html
        """
        if self == Role.MAINTENANCE:
            own = {"idle_in_transaction_session_timeout": "0", "lock_timeout": "5s", "statement_timeout": "0"}
        else:
            longest = settings.STATEMENT_SECONDS if self == Role.PAGES else 0
            own = {
                "idle_in_transaction_session_timeout": "10s",
                "lock_timeout": "2s" if self == Role.SWEEP else "0",
                "statement_timeout": str(round(longest * 1000)),
            }
        return _ALL | own


class _Roles(threading.local):
    role: Role | None = None


_roles = _Roles()
_process_role = Role.SERVICE


def become(role: Role) -> None:
    """Open this thread's sessions for ``role`` from now on."""
    _roles.role = role


def become_everywhere(role: Role) -> None:
    """Open sessions for ``role`` in all threads without a role of their own; for a process with one purpose."""
    global _process_role  # noqa: PLW0603  (one for the whole process, chosen before it starts to work)
    _process_role = role


def role() -> Role:
    """The calling thread's role."""
    return _roles.role or _process_role


def wait_at_most(milliseconds: int) -> None:
    """Until the open transaction ends, give up on a lock that another session holds for this long."""
    with own.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [str(milliseconds)])


def statement(role: Role) -> str:
    """One statement that makes all settings of a new session."""
    return "SELECT " + ", ".join(_setting(name, value) for name, value in role.settings.items())


def statements(role: Role) -> list[str]:
    """One statement per setting, for servers that do not know all of them."""
    return [f"SELECT {_setting(name, value)}" for name, value in role.settings.items()]


def _setting(name: str, value: str) -> str:
    return f"set_config('{name}', '{value}', false)"


def set_limits(connection: extensions.connection, role: Role) -> None:
    """Make the settings for a role in a new session. The connection is left in autocommit.

    Raises:
        psycopg2.Error: the connection broke.
    """
    connection.autocommit = True
    with connection.cursor() as cursor:
        try:
            cursor.execute(statement(role))
        except psycopg2.Error:
            if connection.closed:
                raise
            for each in statements(role):
                _unless_refused(cursor.execute, each)


def _unless_refused(execute: Callable[[str], Any], text: str) -> None:
    """Make a setting if the server knows it: one that it or its operating system lacks must not cost the others."""
    try:
        execute(text)
    except psycopg2.Error as error:
        if error.pgcode is None:
            raise
        log.warning("session_setting_refused", statement=text, error=type(error).__name__)
