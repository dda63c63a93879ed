"""Parses large bodies outside the event loop, in turns, so that no sender delays another's answer.

Parsing one takes up to some tenths of a second of processor time. Each connection has one body parsed at a time, so it
occupies one thread of a few, whatever it sends (docs/adr/0055).
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from webhooks.committer import StorageAway

T = TypeVar("T")
READ_AT_ONCE = 32 * 1024
"""Bytes of a body that is read on the event loop, since a thread would cost more."""
THREADS = 2
PATIENCE = 1.0  # seconds that a body waits for its turn


class _Turns(asyncio.Lock):
    """The turns of one connection; first come, first served."""

    waiting = 0


class LargeBodies:
    """A few threads, and each connection's turns."""

    def __init__(self, threads: int = THREADS) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="large-bodies")
        self._turns: dict[str, _Turns] = {}

    async def read(self, connection_id: str, call: Callable[[], T]) -> T:
        """The result of ``call``, run in a thread.

        Raises:
            StorageAway: the connection's other bodies took too long.
            Exception: whatever ``call`` raises.
        """
        turns = self._turns.setdefault(connection_id, _Turns())
        turns.waiting += 1
        try:
            try:
                async with asyncio.timeout(PATIENCE):
                    await turns.acquire()
            except TimeoutError as error:
                raise StorageAway("other large bodies of this connection are being read") from error
            try:
                return await asyncio.get_running_loop().run_in_executor(self._threads, call)
            finally:
                turns.release()
        finally:
            turns.waiting -= 1
            if not turns.waiting:
                self._turns.pop(connection_id, None)
