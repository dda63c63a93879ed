"""Django's own backend, whose ``close()`` gives the connection to whichever thread of the process asks next.

Django has a pool of its own for psycopg 3 only. A worker's threads need a connection for some milliseconds before and
after an outside call and none during it, so a hundred threads share a few. There are never more than were in use at
once, since a thread takes an idle one before it opens another.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections import defaultdict
from typing import Any

from django.db.backends.postgresql import base
from psycopg2 import extensions
from psycopg2.extensions import STATUS_READY, TRANSACTION_STATUS_IDLE

Connection = extensions.connection
Server = tuple[str, ...]  # database, user, host, port
LONGEST_IDLE = 60.0  # seconds; PostgreSQL's processes are not kept for nothing
MOST_IDLE = 20


class _Idle:
    """The idle connections of this process, by what they were opened with; the one used last is taken first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Server, list[tuple[float, Connection]]] = defaultdict(list)

    def take(self, key: Server) -> Connection | None:
        """One that still stands, or ``None``."""
        while True:
            with self._lock:
                if not self._kept[key]:
                    return None
                since, found = self._kept[key].pop()
            if time.monotonic() - since < LONGEST_IDLE and _stands(found):
                return found
            found.close()

    def keep(self, key: Server, given: Connection) -> bool:
        """Whether it was taken in. One too many, and those that are too old, are closed."""
        now = time.monotonic()
        with self._lock:
            kept = self._kept[key]
            old = [entry for entry in kept if now - entry[0] >= LONGEST_IDLE]
            self._kept[key] = [entry for entry in kept if now - entry[0] < LONGEST_IDLE]
            taken = len(self._kept[key]) < MOST_IDLE
            if taken:
                self._kept[key].append((now, given))
        for _, each in old:
            each.close()
        return taken

    def close(self, key: Server) -> None:
        """End all that lie idle for a server."""
        with self._lock:
            ended, self._kept[key] = self._kept[key], []
        for _, each in ended:
            each.close()

    def forget(self) -> None:
        """After a fork the parent's connections are not this process's to use, nor to close."""
        self._lock = threading.Lock()
        self._forgotten = self._kept
        self._kept = defaultdict(list)


def _stands(connection: Connection) -> bool:
    """Whether the server has said nothing meanwhile: to an idle connection it speaks only to end it."""
    if connection.closed:
        return False
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return not waiting.poll(0)


_idle = _Idle()
os.register_at_fork(after_in_child=_idle.forget)


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes and gives back connections; everything else is Django's."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """An idle one that stands, else a new one."""
        found = _idle.take(self._server)
        if found is None:
            return super().get_new_connection(conn_params)
        self.isolation_level = extensions.ISOLATION_LEVEL_READ_COMMITTED
        return found

    def _close(self) -> None:
        """Give it back, unless it is broken or in the middle of something."""
        given = self.connection
        if given is None:
            return
        in_order = (
            not given.closed
            and not self.errors_occurred
            and given.status == STATUS_READY
            and given.info.transaction_status == TRANSACTION_STATUS_IDLE
        )
        if not in_order or not _idle.keep(self._server, given):
            super()._close()  # type: ignore[misc]  # the stubs leave it out

    def close_pool(self) -> None:
        """Close what lies idle; Django calls it before it drops a test's database."""
        _idle.close(self._server)

    @property
    def _server(self) -> Server:
        return tuple(str(self.settings_dict[name]) for name in ("NAME", "USER", "HOST", "PORT"))
