"""A program that the supervisor runs: what to start, how to stop it, and when it counts as ready."""

import enum
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any


class Stage(enum.IntEnum):
    """The order of stopping: no process loses a server that it still uses."""

    WORK = 0
    SANDBOX = 1
    VALKEY = 2
    POSTGRES = 3


class Readiness(enum.Enum):
    """What makes a program count as ready."""

    ALIVE = "alive"
    FILE = "file"
    URL = "url"


@dataclass(frozen=True)
class Program:
    """One program.

    ``grace``: seconds from ``stop_signal`` to ``hurry_signal``, which a second Ctrl-C also sends. ``options`` go to
    ``subprocess``. ``before_start`` runs before every start, including restarts. ``rotates_itself``: it keeps its own
    log small. ``ready_at``: the URL or file that ``readiness`` refers to.
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
        """Keywords for ``subprocess.Popen`` and asyncio's counterpart.

        Each child leads its own session: a Ctrl-C in the terminal reaches only the runner, which then stops everything
        in order (a shared process group gives Celery two SIGINTs, and so a cold shutdown).
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
