"""Large bodies are read beside the event loop, in turns, so that no sender delays another's answer.

Reading one costs up to some tenths of a second of a processor. A connection has one of its bodies read at a time, so
whatever it sends takes one place of a few (docs/adr/0055).
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
    """Those of one connection; first come, first served."""

    waiting = 0


class LargeBodies:
    """A few threads, and whose turn it is."""

    def __init__(self, threads: int = THREADS) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="large-bodies")
        self._turns: dict[str, _Turns] = {}

    async def read(self, connection_id: str, call: Callable[[], T]) -> T:
        """What ``call`` returns, in a thread.

        Raises:
            StorageAway: too many bodies of this connection wait already.
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
