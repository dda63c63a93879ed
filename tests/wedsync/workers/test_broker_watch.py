"""A worker whose broker dies while all of its messages wait to be acknowledged goes on when the broker is back."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from tests.live.product import Product
from tests.polling import until
from wedsync.celery import app
from wedsync.runner import runtime
from wedsync.runner.embedded import EmbeddedValkey
from wedsync.runner.home import Home
from wedsync.workers.broker_watch import looks_deaf

TASK = "live.prune_tickets"
WORKER = ["-m", "celery", "-A", "wedsync", "worker", "--queues", "low", "--pool", "threads", "--concurrency", "1",
          "--without-gossip", "--without-mingle", "--loglevel", "INFO"]  # fmt: skip


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    home = Home(tmp_path / "valkey")
    home.create()
    server = EmbeddedValkey(home)
    server.start()
    yield server
    server.stop()
    runtime.remove(home.runtime())


@pytest.fixture
def worker(valkey: EmbeddedValkey, tmp_path: Path, transactional_db: None) -> Iterator[Path]:
    """Its log. It takes one message at a time."""
    log = tmp_path / "worker.log"
    environment = Product(tmp_path).environment
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *WORKER, "--hostname", f"deaf-{os.getpid()}@%h"],
            env={**environment, "REDIS_URL": valkey.url, "WEDSYNC_PROCESS": "worker", "WEDSYNC_LOG_LEVEL": "DEBUG"},
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        until((tmp_path / "run" / "ready" / "worker").exists, 30, what="the worker")
        yield log
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def ask_for_pruning(valkey: EmbeddedValkey) -> None:
    with app.connection_for_write(f"redis+socket://{valkey.socket}") as broker:
        app.send_task(TASK, queue="low", connection=broker)


def test_a_worker_that_could_not_acknowledge_hears_again(worker: Path, valkey: EmbeddedValkey, tmp_path: Path) -> None:
    database = Product(tmp_path / "other").environment["DATABASE_URL"]
    with closing(psycopg2.connect(database)) as blocker, blocker.cursor() as cursor:
        cursor.execute("LOCK TABLE live_ticket IN ACCESS EXCLUSIVE MODE")
        ask_for_pruning(valkey)
        until(lambda: f"{TASK}[" in worker.read_text(), 10, what="the first message taken")
        assert valkey.process
        valkey.process.kill()
        valkey.process.wait()
        blocker.rollback()
        until(lambda: "Couldn't ack" in worker.read_text(), 10, what="the acknowledgement that failed")

    valkey.start()
    done = worker.read_text().count("succeeded in")
    ask_for_pruning(valkey)

    until(lambda: worker.read_text().count("succeeded in") > done, 20, what="a message taken afterwards")
    assert "worker_deaf" in worker.read_text()


@pytest.mark.parametrize(
    ("may_take", "at_work", "deaf"), [(True, 0, False), (True, 3, False), (False, 12, False), (False, 0, True)]
)
def test_only_a_worker_without_work_that_takes_none_is_deaf(may_take: bool, at_work: int, deaf: bool) -> None:
    assert looks_deaf(may_take=may_take, at_work=at_work) is deaf
