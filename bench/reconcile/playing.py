"""The play: while senders send, one server after the other is killed."""

import asyncio
import itertools
import time
from collections.abc import Callable

from bench.errors import BenchError
from bench.ground import Facts, Ground
from bench.reconcile.sending import Senders, Sent
from bench.servers import Server

RECOVERY = 60.0
"""Seconds within which senders must be answered again after a fault."""


def kill_web(web: Server) -> None:
    """``kill -9``, and a new start."""
    web.kill()
    web.start()


def restart_postgres(ground: Ground) -> None:
    """PostgreSQL's immediate shutdown, which equals a crash, and its recovery."""
    process = ground.postgres.process
    if process is None:
        raise BenchError("PostgreSQL is not running.")
    process.send_signal(ground.postgres.program().hurry_signal)
    process.wait(RECOVERY)
    ground.postgres.start()


class Play:
    """One play.

    Arguments:
        senders: how many send concurrently.
        faults: how many times something is killed; the web process and PostgreSQL in turn.
        between: answered requests before each fault, and after the last.
    """

    def __init__(self, ground: Ground, facts: Facts, web: Server, *, senders: int, faults: int, between: int) -> None:
        self._web = web
        self._senders = Senders(facts, web.port, senders)
        self._between = between
        kinds: list[tuple[str, Callable[[], None]]] = [
            ("kill -9 of the web process", lambda: kill_web(web)),
            ("immediate restart of PostgreSQL", lambda: restart_postgres(ground)),
        ]
        self._faults = list(itertools.islice(itertools.cycle(kinds), faults))

    def run(self, say: Callable[[str], None]) -> dict[str, Sent]:
        """Play; returns the answers to each id, once the web process has ended.

        Raises:
            BenchError: something did not recover.
        """
        try:
            asyncio.run(self._play(say))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        self._web.stop()
        return self._senders.sent

    async def _play(self, say: Callable[[str], None]) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._senders.run())
            for name, fault in self._faults:
                await self._answered_more()
                say(f"{self._senders.taken} answered; now: {name}")
                await asyncio.to_thread(fault)
            await self._answered_more()
            self._senders.stop()

    async def _answered_more(self) -> None:
        goal, deadline = self._senders.taken + self._between, time.monotonic() + RECOVERY
        while self._senders.taken < goal:
            if time.monotonic() > deadline:
                raise BenchError(
                    f"Only {self._senders.taken} of {goal} requests were answered within {RECOVERY:.0f} s."
                )
            await asyncio.sleep(0.02)
