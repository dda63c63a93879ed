"""Database calls from asyncio: a few threads with a connection each, bounded (docs/adr/0012)."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

P = ParamSpec("P")
R = TypeVar("R")
THREADS = 4
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="database")


async def in_thread(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a database call in the bounded pool."""
    context = contextvars.copy_context()  # the log's lines keep the request's id

    def work() -> R:
        close_old_connections()
        try:
            return context.run(call, *args, **kwargs)
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(_pool, work)
