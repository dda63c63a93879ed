"""Doors that leave no database connection behind."""

import threading
from collections.abc import Iterator

import pytest
from django.db import connections

from webhooks.doors import Doors
from wedsync import threads


@pytest.fixture
def doors(transactional_db: None) -> Iterator[Doors]:
    """Doors are looked up in threads that keep their connections, which would hold the test's database."""
    yield Doors()
    all_here = threading.Barrier(threads.THREADS)

    def close(_: int) -> None:
        all_here.wait(10)
        connections.close_all()

    list(threads._pool.map(close, range(threads.THREADS)))
