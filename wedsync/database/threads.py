"""Database calls from asyncio, in a bounded number of threads with a connection each (docs/adr/0012)."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

P = ParamSpec("P")
R = TypeVar("R")
THREADS = 4


class DatabaseThreads:
    """A bounded pool of threads, so that one kind of work never waits for another kind."""

    def __init__(self, count: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)

    async def run(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a database call in one of these threads."""
        context = contextvars.copy_context()  # keeps the request's id in log lines

        def work() -> R:
            close_old_connections()
            try:
                return context.run(call, *args, **kwargs)
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


_shared = DatabaseThreads(THREADS, "database")


async def in_thread(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a database call in the pool that the receivers, heartbeats and checks share."""
    return await _shared.run(call, *args, **kwargs)
