"""A pytest plugin: the PostgreSQL and the Valkey that all tests use, real ones, started before Django is configured.

One PostgreSQL for the whole run (each worker has a database of its own in it), one Valkey per worker, so that a test
may flush or freeze it without disturbing another.
"""

import atexit
import os
import shutil
import tempfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from wedsync.runner import runtime
from wedsync.runner.embedded import EmbeddedPostgres, EmbeddedValkey
from wedsync.runner.home import Home, django_secret, fernet_key, vapid_key

TOGETHER = {
    "tests/live/": 3,
    "tests/bench/": 2,
    **dict.fromkeys(["tests/copy/", "tests/sandbox/", "tests/docs/test_site.py"], 1),
    **dict.fromkeys(["tests/wedsync/runner/", "tests/wedsync/admin/", "tests/wedsync/console/"], 1),
}
"""Folders whose tests share something that takes long to start, and by how many workers each is run at most."""
POSTGRES_URL = "WEDSYNC_TEST_POSTGRES"

SHORT_TIMES = {
    "WEDSYNC_RETRY_QUICK_SECONDS": "0.2,0.2,0.3,0.3",
    "WEDSYNC_RETRY_DURABLE_SECONDS": "2,2,2",
    "WEDSYNC_CALL_DEADLINE_SECONDS": "3",
    "WEDSYNC_URGENT_DEADLINE_SECONDS": "2",
    "WEDSYNC_LEASE_SECONDS": "5",
    "WEDSYNC_URGENT_LEASE_SECONDS": "4",
    "WEDSYNC_STATUS_WAIT_SECONDS": "1",
    "WEDSYNC_URGENT_STATUS_WAIT_SECONDS": "0.5",
    "WEDSYNC_VISIBILITY_TIMEOUT_SECONDS": "20",
    "WEDSYNC_SWEEP_SECONDS": "0.6",
    "WEDSYNC_SWEEP_OVERDUE_SECONDS": "1",
    "WEDSYNC_SWEEP_AGAIN_SECONDS": "3",
    "WEDSYNC_BREAKER_OPEN_SECONDS": "2",
    "WEDSYNC_FOLLOW_SECONDS": "1",
    "WEDSYNC_SLOW_READER_SECONDS": "2",
    "WEDSYNC_HEALTH_SECONDS": "3600",  # tests sweep themselves; nobody misses it meanwhile
    "WEDSYNC_HEARTBEAT_SECONDS": "20",  # tests end processes, and nobody is to be told of it
    "WEDSYNC_ASSUME_WEDDING_SECONDS": "4",
    "WEDSYNC_STAFF_CALL_SECONDS": "6",
    "WEDSYNC_NOBODY_REACHED_SECONDS": "8",
    "WEDSYNC_SELF_TEST_HOUR": "-1",  # tests of it set an hour
    "WEDSYNC_DIGEST_SECONDS": "0",  # what is sent is awaited at once; tests of windows open theirs
    "WEDSYNC_COLLAPSE_SECONDS": "0",
    "WEDSYNC_WORKER_THREADS": "8",
    "WEDSYNC_LIMIT_PER_ADDRESS": "1000000",
    "WEDSYNC_LIMIT_PER_CONNECTION": "1000000",
    "WEDSYNC_LIMIT_PER_KEY": "1000000",
    "WEDSYNC_LIMIT_PER_SOCKET": "1000000",
    "WEDSYNC_SOCKETS_PER_KEY": "1000000",
    "WEDSYNC_SOCKETS_PER_ADDRESS": "1000000",
    "WEDSYNC_SOCKETS_PER_PROCESS": "1000000",
    "WEDSYNC_LIMIT_TICKETS": "1000000",
    "WEDSYNC_LIMIT_EMERGENCIES": "1000000",
}


class FolderScheduling(LoadScopeScheduling):
    """Keep each folder that shares a running product on few workers; spread everything else test by test."""

    def _split_scope(self, nodeid: str) -> str:
        for folder, parts in TOGETHER.items():
            if nodeid.startswith(folder):
                file = nodeid.partition("::")[0]
                return f"{folder} {zlib.crc32(file.encode()) % parts}"
        return nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Called by xdist's controller."""
    return FolderScheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Start the servers and point the environment at them."""
    folder = Path(tempfile.mkdtemp(prefix="wedsync-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if POSTGRES_URL not in os.environ:
        home = Home(folder / "postgres")
        home.create()
        atexit.register(runtime.remove, home.runtime())
        postgres = EmbeddedPostgres(home, durable=False)
        postgres.start()
        atexit.register(postgres.stop)
        os.environ[POSTGRES_URL] = postgres.url
        os.environ["WEDSYNC_SECRET_KEYS"] = fernet_key()
        os.environ["WEDSYNC_DJANGO_SECRET_KEY"] = django_secret()
    home = Home(folder / "valkey")
    home.create()
    atexit.register(runtime.remove, home.runtime())
    valkey = EmbeddedValkey(home)
    valkey.start()
    atexit.register(valkey.stop)
    os.environ.update(
        SHORT_TIMES,
        DATABASE_URL=os.environ[POSTGRES_URL],
        REDIS_URL=valkey.url,
        WEDSYNC_HOME=str(folder),
        WEDSYNC_VAPID_PRIVATE_KEY=vapid_key(),
        WEDSYNC_VAPID_CONTACT="mailto:operator@wedsync.example",
        WEDSYNC_PUSH_HOSTS="127.0.0.1",
        WEDSYNC_ALLOWED_HOSTS="127.0.0.1,testserver",
    )
