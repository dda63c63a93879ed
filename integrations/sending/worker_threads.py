"""Shares a worker's threads so that no target can occupy them all.

A thread stays with its target while there is work and a thread is free for others; if none is free, it goes back to the
queue after a moment. The last threads are not given to targets that are already slow: their deliveries stay due, and
the threads that serve the target claim them.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings

KEPT = 0.1  # of the threads
LEAST_KEPT = 2
SLOW = 2.0  # seconds that a call has lasted
MOMENT = 0.25  # seconds with a target while others wait for a thread
MOST_RESTING = 10_000


class WorkerThread:
    """One thread's time with one target."""

    def __init__(self) -> None:
        self._began = self.busy_since = time.monotonic()

    def next(self) -> None:
        """Another call begins."""
        self.busy_since = time.monotonic()

    def is_over(self) -> bool:
        """Whether the thread should go on to its next message."""
        served = time.monotonic() - self._began
        return served >= settings.TURN_SECONDS or (served >= MOMENT and worker_threads.free <= 0)


class WorkerThreads:
    """Which threads serve which systems in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[UUID, list[WorkerThread]] = defaultdict(list)
        self._count = 0

    @property
    def free(self) -> int:
        """How many threads serve no system."""
        return settings.WORKER_THREADS - self._count

    @contextmanager
    def serve(self, system_id: UUID, *, exempt: bool = False) -> Iterator[WorkerThread | None]:
        """A thread for a system, or ``None``: not now. ``exempt``: always give one, as for urgent deliveries."""
        with self._lock:
            mine = self._taken[system_id]
            scarce = self.free <= max(LEAST_KEPT, int(settings.WORKER_THREADS * KEPT))
            slow_since = time.monotonic() - SLOW
            thread = None
            if exempt or not scarce or all(each.busy_since > slow_since for each in mine):
                thread = WorkerThread()
                mine.append(thread)
                self._count += 1
        try:
            yield thread
        finally:
            with self._lock:
                if thread:
                    mine.remove(thread)
                    self._count -= 1
                if not mine:
                    self._taken.pop(system_id, None)


class RecentRefusals:
    """Targets that refuse for a while: of many threads refused at the same time, one holds what is due."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: dict[UUID, float] = {}

    def begins(self, system_id: UUID) -> bool:
        """Whether the caller is that thread; a moment later another may be, for what has become due since."""
        now = time.monotonic()
        with self._lock:
            if now - self._since.get(system_id, -MOMENT) < MOMENT:
                return False
            if len(self._since) >= MOST_RESTING:
                self._since.clear()
            self._since[system_id] = now
            return True


worker_threads = WorkerThreads()
recent_refusals = RecentRefusals()
