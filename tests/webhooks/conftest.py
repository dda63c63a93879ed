"""What tests share that look doors up in this process."""

import threading
from collections.abc import Iterator

import pytest
from django.db import connections

from webhooks import committer, doors
from wedsync.database import threads


@pytest.fixture
def committed(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Rows that others see, and no database connection left behind.

    Doors are looked up in threads that keep their connections, which would hold the test's database. Writers and doors
    have time, so that a slow machine answers what a fast one does.
    """
    monkeypatch.setattr(committer, "ANSWER_WITHIN", 20.0)
    monkeypatch.setattr(doors, "LOOK_UP_WITHIN", 20.0)
    yield
    all_here = threading.Barrier(threads.THREADS)

    def close(_: int) -> None:
        all_here.wait(10)
        connections.close_all()

    list(threads._shared._pool.map(close, range(threads.THREADS)))
