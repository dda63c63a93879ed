"""The servers that all programs here use: an embedded PostgreSQL and Valkey on a temporary home."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import redis

from bench.errors import BenchError
from wedsync.runner import environment, runtime
from wedsync.runner.embedded import EmbeddedPostgres, EmbeddedValkey
from wedsync.runner.embedded.postgres import NAME
from wedsync.runner.home import Home
from wedsync.runner.supervision.processes import wait_until

ROOT = Path(__file__).resolve().parents[1]
NO_SANDBOX = 9
"""The port of the discard service (RFC 863), in place of a sandbox, which these programs do not have."""
WITHOUT_LIMITS = {
    "WEDSYNC_LIMIT_PER_ADDRESS": "1000000000",
    "WEDSYNC_LIMIT_PER_CONNECTION": "1000000000",
    "WEDSYNC_LIMIT_PER_KEY": "1000000000",
    "WEDSYNC_LIMIT_PER_SOCKET": "1000000000",
    "WEDSYNC_DRAIN_SECONDS": "0",
    "WEDSYNC_SOCKETS_PER_KEY": "1000000000",
    "WEDSYNC_SOCKETS_PER_ADDRESS": "1000000000",
    "WEDSYNC_SOCKETS_PER_PROCESS": "1000000000",
    "WEDSYNC_LIMIT_TICKETS": "1000000000",
}
"""The limits still count every request, but are too high to be reached."""


@dataclass(frozen=True)
class Facts:
    """The data that a sender needs: the connection's id, its secret, the vendor's ids for the weddings, an API key."""

    organization: str
    connection: str
    secret: str
    bookings: list[str]
    token: str

    @property
    def path(self) -> str:
        """The path of the webhook."""
        return f"/api/webhooks/channel-events/{self.connection}"


def output_of(*words: str, environment: Mapping[str, str], stdin: str = "", seconds: float = 300) -> str:
    """The output of a new Python process.

    Arguments:
        words: the arguments of the interpreter, for example ``-m`` and a module.
        environment: the whole environment.
        seconds: how long it may take.

    Raises:
        BenchError: it failed; with the end of its error output.
    """
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=dict(environment),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"{' '.join(words[:3])} failed:\n{done.stderr[-2000:]}")
    return done.stdout


class Ground:
    """PostgreSQL and Valkey for one run, each with its data in a temporary home that is removed at the end.

    Arguments:
        durable: every commit is on disk before it is answered, as in production.
    """

    def __init__(self, *, durable: bool = True) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="wedsync-bench-"))
        if os.geteuid() == 0:
            self.folder.chmod(0o711)  # root's PostgreSQL runs as another user, who needs access
        self.home = Home(self.folder / "home")
        self.home.create()
        self.postgres = EmbeddedPostgres(self.home, durable=durable)
        self.valkey = EmbeddedValkey(self.home)

    def __enter__(self) -> "Ground":
        """Start both.

        Raises:
            RunnerError: one of them does not start.
        """
        try:
            self.postgres.start()
            self.valkey.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop both, and remove their data."""
        self._end()

    def _end(self) -> None:
        self.valkey.stop()
        self.postgres.stop()
        runtime.remove(self.home.runtime())
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str = NAME) -> str:
        """The URL of one of the databases."""
        return urlunsplit(urlsplit(self.postgres.url)._replace(path=f"/{database}"))

    def environment(self, port: int, database: str = NAME) -> dict[str, str]:
        """The environment for a process of the product."""
        outer = environment.unconfigured(os.environ)
        url, redis_url = self.url(database), self.valkey.url
        return environment.for_children(outer, self.home, port, NO_SANDBOX, url, redis_url) | WITHOUT_LIMITS

    def make_product(self, weddings: int = 50) -> Facts:
        """Migrate the first database and make the rows that a sender needs.

        Raises:
            BenchError: one of the commands failed.
        """
        self._run("manage.py", "migrate", "--verbosity", "0")
        facts = Facts(**json.loads(self._run("-m", "bench.seed", "--weddings", str(weddings))))
        self.execute("ANALYZE")
        return facts

    def _run(self, *words: str) -> str:
        return output_of(*words, environment=self.environment(NO_SANDBOX))

    def make_database(self, name: str, template: str | None = None) -> None:
        """Make an empty database, or a copy of one that nobody is connected to."""
        self.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""), database="postgres")

    def execute(self, *statements: str, database: str = NAME) -> list[tuple[Any, ...]]:
        """Run statements one by one, each in its own transaction; returns the rows of the last."""
        with closing(psycopg2.connect(self.url(database))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

    def number(self, query: str, database: str = NAME) -> int:
        """The one number that a query returns."""
        return int(self.execute(query, database=database)[0][0])

    def drop_hints(self) -> None:
        """Empty the queues, which no worker reads here, and have Valkey rewrite its log now rather than later."""
        with closing(redis.Redis.from_url(self.valkey.url)) as client:
            for key in client.scan_iter(_type="list"):
                client.unlink(key)
            client.bgrewriteaof()
            if not wait_until(lambda: not client.info("persistence")["aof_rewrite_in_progress"], 20):
                raise BenchError("Valkey did not finish rewriting its log within 20 s.")
