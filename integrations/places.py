"""A worker's threads, shared out so that slow targets can not take all of them.

While most threads are busy, a target that is being served already gets no further one in this process: the rest are
for targets that have none. What is left out stays due; whoever serves the target takes it.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings

CROWDED = 0.75  # of the threads


class Places:
    """Who serves what in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._serving: Counter[UUID] = Counter()

    @contextmanager
    def take(self, system_id: UUID, *, exempt: bool = False) -> Iterator[bool]:
        """Whether the caller may serve a system now; ``exempt``: always, as urgent deliveries may."""
        with self._lock:
            crowded = self._serving.total() >= settings.WORKER_THREADS * CROWDED
            taken = exempt or not crowded or not self._serving[system_id]
            if taken:
                self._serving[system_id] += 1
        try:
            yield taken
        finally:
            if taken:
                with self._lock:
                    self._serving[system_id] -= 1
                    if not self._serving[system_id]:
                        del self._serving[system_id]


places = Places()
