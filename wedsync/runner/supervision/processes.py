"""Identifies processes: a pid alone is not enough, since the kernel reuses it.

A process is identified by its pid *and* its start time, so that none is ever ended because of its name or number alone.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_PROC = Path("/proc")
_FIELDS_BEFORE_STATE = 2
_STATE, _SESSION, _START = 3, 6, 22
"""Numbers of fields in /proc/<pid>/stat, as counted in proc_pid_stat(5)."""


def _stat_fields(pid: int) -> list[str] | None:
    """The fields from ``state`` on; the name before them may contain spaces and brackets."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _field(fields: list[str], number: int) -> str:
    return fields[number - 1 - _FIELDS_BEFORE_STATE]


def _boot() -> str:
    with contextlib.suppress(OSError):
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    return ""


def start_time(pid: int) -> str | None:
    """What distinguishes this process from every other that ever had its pid; ``None`` once it has ended.

    A zombie counts as ended: it cannot be ended again, and in a container nothing may ever reap it.
    """
    if _PROC.joinpath("self/stat").exists():
        fields = _stat_fields(pid)
        if fields is None or _field(fields, _STATE) in {"Z", "X"}:
            return None
        return f"{_boot()}/{_field(fields, _START)}"
    shown = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return None if not shown.stdout.strip() or shown.stdout.lstrip().startswith("Z") else shown.stdout.split(None, 1)[1]


@dataclass(frozen=True)
class Recorded:
    """A process that this home started, with what is needed to find it again and to stop it properly."""

    name: str
    pid: int
    started: str
    stage: int
    stop_signal: int

    @property
    def alive(self) -> bool:
        """Whether this process is alive, as opposed to another with its pid."""
        return start_time(self.pid) == self.started


class ProcessRecord:
    """``run/processes.json``: what is running now, so that the next start can end what a killed runner left."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._running: dict[int, Recorded] = {}

    def add(self, process: Recorded) -> None:
        """Record a process as soon as it was started."""
        self._running[process.pid] = process
        self._write()

    def discard(self, pid: int) -> None:
        """Forget a process that has ended."""
        self._running.pop(pid, None)
        self._write()

    def read(self) -> list[Recorded]:
        """What an earlier runner recorded; an unreadable file counts as empty."""
        try:
            return [Recorded(**entry) for entry in json.loads(self._path.read_text())]
        except (OSError, ValueError, TypeError):
            return []

    def _write(self) -> None:
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps([asdict(process) for process in self._running.values()], indent=1))
        draft.replace(self._path)


def send(pid: int, number: int) -> None:
    """Send a signal to one process; one that has ended is ignored."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def kill_group(pid: int) -> None:
    """End whatever is left of the process group that this session leader created."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def wait_until(condition: Callable[[], bool], timeout: float, pause: float = 0.02) -> bool:
    """Whether ``condition`` came true within ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def _left_in_session(leader: int, home: Path) -> list[int]:
    """Processes of a session whose leader has ended, if their environment names this home."""
    mark = f"WEDSYNC_HOME={home}".encode()
    found = []
    for folder in _PROC.glob("[0-9]*"):
        fields = _stat_fields(int(folder.name))
        if fields is None or _field(fields, _SESSION) != str(leader):
            continue
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def end_orphans(record: ProcessRecord, home: Path, grace: float = 30.0) -> Sequence[Recorded]:
    """End what a killed runner of this home left, in the order of a normal stop; returns what was found.

    Arguments:
        home: the absolute home, which processes of a session without its leader must name.
        grace: seconds from the first signal to SIGKILL.
    """
    recorded = record.read()
    orphans = [process for process in recorded if process.alive]
    for stage in sorted({process.stage for process in orphans}):
        _end([process for process in orphans if process.stage == stage], grace)
    for process in recorded:
        if start_time(process.pid) is None:
            for pid in _left_in_session(process.pid, home):
                send(pid, signal.SIGKILL)
    return orphans


def _end(processes: Iterable[Recorded], grace: float) -> None:
    waiting = list(processes)
    for process in waiting:
        send(process.pid, process.stop_signal)
    wait_until(lambda: not any(process.alive for process in waiting), grace)
    for process in waiting:
        if process.alive:
            kill_group(process.pid)
    wait_until(lambda: not any(process.alive for process in waiting), 5.0)
