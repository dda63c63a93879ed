"""Sends hints from a process: by separate threads, from bounded queues that drop hints when full."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import structlog

log = structlog.get_logger(__name__)
MOST_WAITING = 1_000  # batches of hints
MOST_TOGETHER = 2_000
# How long a queue rests after a send, in seconds: per hint, and at most. The first hint leaves immediately, a few
# almost immediately, and under load there are fewer and larger sends, since each takes time from the event loop.
REST, LONGEST_REST = 0.001, 0.2

T = TypeVar("T")


class HintQueue(Generic[T]):
    """One thread that sends hints to Redis in order, together with all others that wait by then."""

    def __init__(self, name: str, make_send: Callable[[], Callable[[list[T]], None]]) -> None:
        self._name = name
        self._make_send = make_send
        self._waiting: queue.Queue[Sequence[T]] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def offer(self, hints: Sequence[T]) -> None:
        """Queue some hints, or drop them if Redis has been away for long."""
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name=f"hints-{self._name}", daemon=True)
                self._thread.start()
        try:
            self._waiting.put_nowait(hints)
        except queue.Full:
            log.warning("hints_dropped", queue=self._name, hints=len(hints))

    def _run(self) -> None:
        send = self._make_send()
        while True:
            taken = [self._waiting.get()]
            while sum(map(len, taken)) < MOST_TOGETHER and not self._waiting.empty():
                taken.append(self._waiting.get())
            hints = [hint for several in taken for hint in several]
            try:
                send(hints)
            except Exception as error:  # whatever Redis raises, the sweep finds the row
                log.warning("hints_failed", queue=self._name, error=type(error).__name__)
            finally:
                for _ in taken:
                    self._waiting.task_done()
            time.sleep(min(REST * len(hints), LONGEST_REST))

    def flush(self, seconds: float) -> None:
        """Wait until all offered hints have been sent, for a number of seconds at most."""
        finished = threading.Thread(target=self._waiting.join, daemon=True)
        finished.start()
        finished.join(seconds)
