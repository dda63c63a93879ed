"""The home folder (``WEDSYNC_HOME``): everything that one copy of WedSync keeps between starts.

====================  ==========================================================
``keys/``             secrets, one per file, readable only by their owner
``postgres/``         the embedded PostgreSQL's data
``valkey/``           the embedded Valkey's data
``logs/``             one file per process
``run/``              what is true only while it runs
``sandbox-port``      the sandbox's port, kept so that its address stays
``postgres-port``     written by a person: a port of 127.0.0.1 for PostgreSQL to listen on instead
``demo.json``         the demo's facts, for scripts and clients
``sandbox.json``      the accounts that the sandbox plays
``sandbox.sqlite3``   what the sandbox stores
``lock``              held by the runner; a second runner on the same home stops
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

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
LOG_LIMIT = 10 * 1024 * 1024
"""The size in bytes from which a log is rotated when its process next starts."""


def fernet_key() -> str:
    """A key in the form of cryptography.fernet: 32 random bytes, URL-safe base64."""
    return urlsafe_b64encode(secrets.token_bytes(32)).decode()


def vapid_key() -> str:
    """A private key for web push: a number below the order of P-256 in 32 bytes, URL-safe base64."""
    number = secrets.randbelow(_P256_ORDER - 1) + 1
    return urlsafe_b64encode(number.to_bytes(32, "big")).decode().rstrip("=")


def django_secret() -> str:
    """A secret at least as long as Django's own, without characters that are special in shells or URLs."""
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
        """Create the folder and its subfolders.

        Others can enter (not list) root's home, since its PostgreSQL runs as an ordinary user.

        Raises:
            RunnerError: the folder cannot be written, or belongs to another user.
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
                f"The home {self.path} cannot be written: {error.strerror}. If it belongs to another user, or is the "
                "wrong place, set WEDSYNC_HOME to a folder of your own."
            ) from error

    def runtime(self) -> Path:
        """This home's short folder for sockets; created if missing."""
        return runtime_folder(self.path)

    def lock(self) -> None:
        """Hold this home until :meth:`unlock`; the kernel releases it when this process ends, however it ends.

        Raises:
            RunnerError: another runner holds it.
        """
        path = self.path / "lock"
        while True:
            file = path.open("a+")
            self._flock(file)
            if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                break
            file.close()  # its holder has just removed it
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
        """Release the home."""
        if self._lock:
            (self.path / "lock").unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def secret(self, name: str, make: Callable[[], str]) -> str:
        """The secret of this name; created at the first call and then kept."""
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
        """The log of a process; one that has grown too large is rotated first."""
        path = self.logs / f"{name}.log"
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        return path
