"""The same work in several threads at the same moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

T = TypeVar("T")
PATIENCE = 30.0
"""Seconds until every thread must stand at the start."""


def at_once(count: int, work: Callable[[int], T]) -> list[T]:
    """What ``work`` returns to each of its numbers, from 0 on; none begins before all threads are there.

    Raises:
        Exception: the first one that ``work`` raised.
    """
    start = threading.Barrier(count)

    def run(number: int) -> T:
        start.wait(PATIENCE)
        try:
            return work(number)
        finally:
            connection.close()  # it is the thread's own, and would hold the test's database

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
