"""Django's own backend, whose ``close()`` returns the connection for the next thread of the process to use.

Django has a pool for psycopg 3 only. A worker's threads need a connection for a few milliseconds before and after an
outside call, but not during it, so a hundred threads can share a few.
"""

from __future__ import annotations

import os
import select
import threading
import time
import weakref
from collections import defaultdict
from typing import Any

import psycopg2
from django.db import OperationalError
from django.db.backends.postgresql import base
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property
from psycopg2 import extensions
from psycopg2.extensions import STATUS_READY, TRANSACTION_STATUS_IDLE

from wedsync.database import sessions
from wedsync.database.errors import AWAY_CODES
from wedsync.database.pooled.schema import SchemaEditor
from wedsync.database.sessions import Role

Connection = extensions.connection
Server = tuple[str, ...]  # database, user, host, port, and the sessions' role
LONGEST_IDLE = 60.0  # seconds; each idle connection costs PostgreSQL a process
MOST = 20  # connections in use at once, unless the settings say otherwise
PATIENCE = 2.0  # seconds to wait for one


class _Pool:
    """The connections of this process by server; the most recently used idle one is taken first."""

    def __init__(self) -> None:
        self._given_back = threading.Condition()
        self._idle: dict[Server, list[tuple[float, Connection]]] = defaultdict(list)
        self._open: dict[Server, weakref.WeakSet[Connection]] = defaultdict(weakref.WeakSet)
        self._opening: dict[Server, int] = defaultdict(int)

    def take(self, server: Server, most: int) -> Connection | None:
        """An idle connection that is still alive; ``None``: open another, and report it by :meth:`opened`.

        Where ``most`` are already in use, the caller waits a while for one and may then open another: one too many is
        better than a standstill.
        """
        gives_up = time.monotonic() + PATIENCE
        with self._given_back:
            while True:
                while self._idle[server]:
                    since, found = self._idle[server].pop()
                    if time.monotonic() - since < LONGEST_IDLE and _stands(found):
                        return found
                    found.close()
                in_use = sum(not each.closed for each in self._open[server]) + self._opening[server]
                left = gives_up - time.monotonic()
                if in_use < most or left <= 0:
                    self._opening[server] += 1
                    return None
                self._given_back.wait(left)

    def opened(self, server: Server, new: Connection | None) -> None:
        """Count a new connection; ``None``: it could not be opened, so another thread may try."""
        with self._given_back:
            self._opening[server] -= 1
            if new is not None:
                self._open[server].add(new)
            else:
                self._given_back.notify()

    def give_back(self, server: Server, given: Connection) -> None:
        """Return a connection for the next caller; close those that have been idle too long."""
        now = time.monotonic()
        with self._given_back:
            kept = self._idle[server]
            old = [entry for entry in kept if now - entry[0] >= LONGEST_IDLE]
            self._idle[server] = [entry for entry in kept if now - entry[0] < LONGEST_IDLE]
            self._idle[server].append((now, given))
            self._given_back.notify()
        for _, each in old:
            each.close()

    def lost(self) -> None:
        """A connection was closed, so another may be opened."""
        with self._given_back:
            self._given_back.notify()

    def close(self, server: Server) -> None:
        """Close all idle connections to a server."""
        with self._given_back:
            ended, self._idle[server] = self._idle[server], []
        for _, each in ended:
            each.close()

    def forget(self) -> None:
        """After a fork, neither use nor close the parent's connections."""
        self._not_mine = self._idle
        self.__init__()  # type: ignore[misc]


def _stands(connection: Connection) -> bool:
    """Whether an idle connection is alive: the server writes to an idle one only to end it."""
    if connection.closed:
        return False
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return not waiting.poll(0)


class _ErrorWrapper(DatabaseErrorWrapper):
    """Django's wrapper, which also recognizes codes of PostgreSQL being away that psycopg2 classifies otherwise."""

    wrapper: DatabaseWrapper

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        """Raise the error as Django's."""
        if isinstance(exc_value, psycopg2.Error) and exc_value.pgcode in AWAY_CODES:
            self.wrapper.errors_occurred = True
            raise OperationalError(*exc_value.args).with_traceback(traceback) from exc_value
        super().__exit__(exc_type, exc_value, traceback)


_pool = _Pool()
os.register_at_fork(after_in_child=_pool.forget)


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes and returns connections, each set up once for its role; everything else is Django's."""

    SchemaEditorClass = SchemaEditor

    @cached_property
    def wrap_database_errors(self) -> DatabaseErrorWrapper:
        """How psycopg2's errors become Django's."""
        return _ErrorWrapper(self)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """An idle connection that is alive, else a new one."""
        self._taken_from = self._server
        found = _pool.take(self._taken_from, self.settings_dict.get("MOST_CONNECTIONS", MOST))
        if found is None:
            try:
                found = self._open(conn_params)
            finally:
                _pool.opened(self._taken_from, found)
        self.isolation_level = extensions.ISOLATION_LEVEL_READ_COMMITTED
        return found

    def _open(self, conn_params: dict[str, Any]) -> Connection:
        new: Connection = super().get_new_connection(conn_params)
        try:
            sessions.set_limits(new, sessions.role())
        except psycopg2.Error:
            new.close()
            raise
        return new

    def _close(self) -> None:
        """Return the connection, unless it is broken or in the middle of a transaction."""
        given = self.connection
        if given is None:
            return
        in_order = (
            not given.closed
            and not self.errors_occurred
            and not self.in_atomic_block  # the end of the block would roll back the next user's work
            and given.status == STATUS_READY
            and given.info.transaction_status == TRANSACTION_STATUS_IDLE
        )
        if in_order:
            _pool.give_back(self._taken_from, given)
            return
        super()._close()  # type: ignore[misc]  # the stubs leave it out
        _pool.lost()

    def close_pool(self) -> None:
        """Close idle connections; Django calls this before it drops a test's database."""
        for role in Role:
            _pool.close((*self._address, role))

    @property
    def _server(self) -> Server:
        return (*self._address, sessions.role())

    @property
    def _address(self) -> tuple[str, ...]:
        return tuple(str(self.settings_dict[name]) for name in ("NAME", "USER", "HOST", "PORT"))
