"""The home folder (``WEDSYNC_HOME``): everything that one copy of WedSync keeps between two starts.

====================  ==========================================================
``keys/``             secrets, one a file, readable by their owner alone
``postgres/``         the embedded PostgreSQL's data
``valkey/``           the embedded Valkey's data
``logs/``             one file per process
``run/``              what is true only while it runs
``sandbox-port``      the sandbox's port, kept so that its address stays
``postgres-port``     where a person has written one: a port of 127.0.0.1 that PostgreSQL listens on instead
``demo.json``         the demo's facts, for scripts and clients
``sandbox.json``      the accounts that the sandbox plays
``sandbox.sqlite3``   what the sandbox remembers
``lock``              held by the runner; a second one on the same home stops
====================  ==========================================================
"""

import fcntl
import os
import secrets
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import IO

from wedsync.runner.errors import RunnerError
from wedsync.runner.runtime import runtime_folder

LOG_LIMIT = 10 * 1024 * 1024
"""Bytes from which a log is set aside at the next start of its process."""


def fernet_key() -> str:
    """A key as cryptography.fernet makes it: 32 random bytes, URL-safe base64."""
    return urlsafe_b64encode(secrets.token_bytes(32)).decode()


def django_secret() -> str:
    """Django's own length and more, without a character that a shell or a URL would mind."""
    return secrets.token_urlsafe(50)


class Home:
    """One home folder. Nothing touches the disk before :meth:`create`."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).expanduser().resolve()
        self.keys = self.path / "keys"
        self.logs = self.path / "logs"
        self.postgres = self.path / "postgres"
        self.valkey = self.path / "valkey"
        self.run = self.path / "run"
        self.ready = self.run / "ready"
        self.ready_file = self.run / "ready.json"
        self.demo_file = self.path / "demo.json"
        self.postgres_port_file = self.path / "postgres-port"
        self.sandbox_port_file = self.path / "sandbox-port"
        self._lock: IO[str] | None = None

    def create(self) -> None:
        """Make the folder and its rooms.

        Root's home can be entered (not listed) by others: its PostgreSQL runs as an ordinary user.

        Raises:
            RunnerError: the place cannot be written, or belongs to another user.
        """
        try:
            if not self.path.exists():
                self.path.mkdir(parents=True)
                self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
            for room in (self.keys, self.logs, self.valkey, self.run, self.ready):
                room.mkdir(mode=0o700, exist_ok=True)
                tempfile.TemporaryFile(dir=room).close()
        except OSError as error:
            raise RunnerError(
                f"The home {self.path} cannot be written: {error.strerror}. If another user made it, or the place is "
                "wrong, set WEDSYNC_HOME to a folder of your own."
            ) from error

    def runtime(self) -> Path:
        """The short folder for sockets that belongs to this home; made when missing."""
        return runtime_folder(self.path)

    def lock(self) -> None:
        """Hold this home until :meth:`unlock`; the kernel lets go of it when this process ends, however it ends.

        Raises:
            RunnerError: another runner holds it.
        """
        path = self.path / "lock"
        while True:
            file = path.open("a+")
            self._flock(file)
            if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                break
            file.close()  # whoever held it has just removed it
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        self._lock = file

    def _flock(self, file: IO[str]) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise RunnerError(
                f"WedSync already runs on the home {self.path} (process {holder}). "
                "Stop it, or set WEDSYNC_HOME and PORT for a second copy."
            ) from error

    def unlock(self) -> None:
        """Let go of the home."""
        if self._lock:
            (self.path / "lock").unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def secret(self, name: str, make: Callable[[], str]) -> str:
        """The secret of this name; made at the first call and the same ever after."""
        path = self.keys / name
        if path.exists() and (kept := path.read_text().strip()):
            return kept
        made = make()
        draft = path.with_name(f".{name}.new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(made)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        return made

    def log(self, name: str) -> Path:
        """The log of a process, set aside first when it has grown too large."""
        path = self.logs / f"{name}.log"
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        return path
