"""The copy under attack: the whole product under its own supervisor, observed and operated from outside."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import psycopg2
import requests

from bench.errors import BenchError
from bench.ground import ROOT, WITHOUT_LIMITS, Facts, output_of
from wedsync.demo.own_copy import OwnCopy, free_port
from wedsync.runner.embedded import EmbeddedPostgres, EmbeddedValkey
from wedsync.runner.supervision.processes import ProcessRecord, Recorded
from wedsync.runner.supervision.readiness import url_answers

TIMES = {
    "WEDSYNC_CALL_DEADLINE_SECONDS": "4",
    "WEDSYNC_URGENT_DEADLINE_SECONDS": "3",
    "WEDSYNC_LEASE_SECONDS": "6",
    "WEDSYNC_URGENT_LEASE_SECONDS": "5",
    "WEDSYNC_VISIBILITY_TIMEOUT_SECONDS": "15",
    "WEDSYNC_RETRY_QUICK_SECONDS": "0.3,0.5,1,1",
    "WEDSYNC_RETRY_DURABLE_SECONDS": "2,3",
    "WEDSYNC_SWEEP_SECONDS": "0.5",
    "WEDSYNC_SWEEP_OVERDUE_SECONDS": "2",
    "WEDSYNC_SWEEP_AGAIN_SECONDS": "8",
    "WEDSYNC_BREAKER_OPEN_SECONDS": "2",
    "WEDSYNC_BREAKER_OPEN_MAX_SECONDS": "4",
    "WEDSYNC_FOLLOW_SECONDS": "1",
    "WEDSYNC_WORKER_THREADS": "12",
    "WEDSYNC_DIGEST_SECONDS": "0",
    "WEDSYNC_COLLAPSE_SECONDS": "0",
    "WEDSYNC_INCIDENT_PAUSE_SECONDS": "0",
    "WEDSYNC_ESCALATION_SECONDS": "86400",
}
"""Shortened, so that minutes in production become seconds here; their proportions stay.

There are no digests, every report is told, and nobody is called again: so each event has exactly the deliveries that
its routes request.
"""
NOTHING_GATHERED = ("DIGEST", "COLLAPSE", "INCIDENT_PAUSE", "ESCALATION")
DEFAULT_TIMES = {
    name: value
    for name, value in TIMES.items()
    if name == "WEDSYNC_WORKER_THREADS" or name.removeprefix("WEDSYNC_").removesuffix("_SECONDS") in NOTHING_GATHERED
}
"""As in production, but without digests and repeated calls: for promises in seconds."""
LEASE_SECONDS = float(TIMES["WEDSYNC_LEASE_SECONDS"])
URGENT_LEASE_SECONDS = float(TIMES["WEDSYNC_URGENT_LEASE_SECONDS"])


@dataclass(frozen=True)
class Plan:
    """The sender's data, and the systems that events go to.

    ``targets``: the ids of the systems that each event type goes to. ``systems``: the ids of the webhooks, by name.
    """

    facts: Facts
    targets: Mapping[str, list[str]]
    systems: Mapping[str, str]


class AttackedCopy:
    """One running copy. Entering starts it; leaving stops it, even if processes are frozen.

    Arguments:
        times: environment variables, shortened or with their defaults.
        over_tcp: its PostgreSQL listens on a port, so that a session can be cut as by a broken cable.
    """

    def __init__(self, times: Mapping[str, str] = TIMES, *, over_tcp: bool = False) -> None:
        self._copy = OwnCopy({**times, **WITHOUT_LIMITS})
        self.home = self._copy.home
        if over_tcp:
            self.home.create()
            self.home.postgres_port_file.write_text(str(free_port()))
        self.port = self._copy.port
        self._session = requests.Session()
        self._session.trust_env = False
        self.sandbox_url = ""

    def __enter__(self) -> "AttackedCopy":
        """Start it, and return once everything answers.

        Raises:
            RunnerError: it did not start.
        """
        try:
            self.sandbox_url = str(self._copy.start()["sandbox_url"])
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it and remove its home."""
        self._end()

    def _end(self) -> None:
        for process in self._recorded():
            if process.alive:
                os.kill(process.pid, signal.SIGCONT)
        self._copy.stop()
        self._copy.remove()
        self._session.close()

    def plan(self) -> Plan:
        """Make the organization under load.

        Raises:
            BenchError: the command failed.
        """
        made = json.loads(output_of("-m", "bench.chaos.seed", environment=self._copy.environment()))
        self.execute("ANALYZE")
        return Plan(Facts(**made["facts"]), made["targets"], made["systems"])

    def begin(self, *words: str) -> "subprocess.Popen[bytes]":
        """Start another process of the product; the caller ends it."""
        with self.home.log("chaos").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *words],
                cwd=ROOT,
                env=self._copy.environment() | {"WEDSYNC_PROCESS": "chaos"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _recorded(self) -> list[Recorded]:
        return ProcessRecord(self.home.run / "processes.json").read()

    def process(self, name: str) -> Recorded:
        """The running process of that name, from the supervisor's record.

        Raises:
            BenchError: there is none.
        """
        found = [process for process in self._recorded() if process.name == name and process.alive]
        if not found:
            raise BenchError(f"{name} is not running.")
        return found[0]

    def runs(self, name: str) -> bool:
        """Whether a process of that name is alive and ready."""
        if not any(process.name == name and process.alive for process in self._recorded()):
            return False
        if name == "web":
            return url_answers(f"http://127.0.0.1:{self.port}/readyz")
        if name == "postgres":
            return EmbeddedPostgres(self.home).answers()
        if name == "valkey":
            return EmbeddedValkey(self.home).answers()
        return name in {"beat", "sandbox"} or (self.home.ready / name).exists()

    def names(self) -> set[str]:
        """The names of all processes that run now."""
        return {process.name for process in self._recorded()}

    def execute(self, statement: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one statement; returns its rows.

        Raises:
            psycopg2.OperationalError: PostgreSQL is away.
        """
        with closing(psycopg2.connect(EmbeddedPostgres(self.home).url, connect_timeout=5)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []

    @property
    def redis_url(self) -> str:
        """The URL of the copy's Valkey."""
        return EmbeddedValkey(self.home).url

    def sandbox(self, method: str, what: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        """Ask the sandbox's control API.

        Raises:
            BenchError: it refuses or does not answer.
        """
        try:
            answer = self._session.request(method, f"{self.sandbox_url}/_/{what}", json=body, params=query, timeout=30)
        except requests.RequestException as error:
            raise BenchError(f"The sandbox does not answer {method} {what}: {type(error).__name__}") from error
        if not answer.ok:
            raise BenchError(f"The sandbox refuses {method} {what}: {answer.text[:300]}")
        return answer.json() if answer.content else None

    def log_tails(self) -> str:
        """The end of every log that is not empty."""
        return self._copy.log_tails()
