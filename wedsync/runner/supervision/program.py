"""A program that the supervisor runs: what to start, how to stop it, and when it counts as ready."""

import enum
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any


class Stage(enum.IntEnum):
    """The order of stopping: nothing loses a server that it still works with."""

    WORK = 0
    SANDBOX = 1
    VALKEY = 2
    POSTGRES = 3


class Readiness(enum.Enum):
    """What must be seen before a program counts as ready."""

    ALIVE = "alive"
    FILE = "file"
    URL = "url"


@dataclass(frozen=True)
class Program:
    """One program.

    ``grace`` is the time from asking to killing, in seconds. ``stop_signal`` asks; ``hurry_signal`` is what a second
    Ctrl-C sends, and what an expired ``grace`` sends. ``options`` go to ``subprocess``. ``before_start`` runs before
    every start, restarts too. ``rotates_itself``: its
    log stays small by its own doing. ``ready_at`` is the URL or the file that ``readiness`` speaks of.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    log: Path
    stage: Stage = Stage.WORK
    stop_signal: signal.Signals = signal.SIGTERM
    hurry_signal: signal.Signals = signal.SIGKILL
    grace: float = 12.0
    options: Mapping[str, Any] = field(default_factory=dict)
    before_start: Callable[[], None] | None = None
    readiness: Readiness = Readiness.ALIVE
    ready_at: str = ""
    rotates_itself: bool = False

    def popen_options(self, log: IO[bytes]) -> dict[str, Any]:
        """Keywords for ``subprocess.Popen`` and asyncio's twin of it.

        Each child leads a session of its own: a Ctrl-C in the terminal reaches the runner alone, which then stops
        everything in order (a shared process group gives Celery two SIGINTs, hence a cold shutdown).
        """
        return {
            "env": dict(self.environment),
            "cwd": self.directory,
            "stdin": subprocess.DEVNULL,
            "stdout": log,
            "stderr": subprocess.STDOUT,
            "start_new_session": True,
            **self.options,
        }


def last_lines(log: Path, count: int = 8) -> str:
    """The end of a log, for an error message."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4000))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-count:])
