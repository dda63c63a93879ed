"""A whole copy of WedSync in small: the real runner and servers, with toy processes in place of the product's."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from wedsync.runner.environment import unconfigured
from wedsync.runner.supervision.processes import wait_until

ROOT = Path(__file__).resolve().parents[3]
TOY = Path(__file__).resolve().parent / "toy"
WORDS = (
    *(sys.executable, "-m", "wedsync.runner", "--procfile", str(TOY / "Procfile"), "--setup", "demo=python seed.py"),
    *("--sandbox", 'python answer.py "$WEDSYNC_SANDBOX_PORT"'),
)


def session_members(leaders: list[int]) -> set[int]:
    """Living processes in the sessions of these leaders."""
    wanted = {str(pid) for pid in leaders}
    listed = subprocess.run(["ps", "-eo", "pid=,sid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in listed.splitlines())
    return {int(pid) for pid, session, state in rows if session in wanted and not state.startswith("Z")}


@dataclass
class Runner:
    """One runner as a process of its own."""

    home: Path
    port: int
    prefix: tuple[str, ...] = ()
    extra: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    output: str = ""

    def start(self) -> "Runner":
        own = {"WEDSYNC_HOME": str(self.home), "PORT": str(self.port), "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [*self.prefix, *WORDS],
            cwd="/",
            env={**unconfigured(os.environ), **own, **self.extra},
            start_new_session=True,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return self

    def up(self) -> "Runner":
        """Start it, and return once it has printed its block."""
        process = self.start().process
        assert process
        wait_until(lambda: self.is_up(process.pid) or process.poll() is not None, 30)
        assert process.poll() is None, self.finish()
        return self

    def is_up(self, pid: int) -> bool:
        """Whether this very runner says so: a killed one leaves its file."""
        try:
            return bool(json.loads((self.home / "run" / "ready.json").read_text())["pid"] == pid)
        except (OSError, ValueError):
            return False

    def ask(self, number: int = signal.SIGTERM) -> None:
        assert self.process
        self.process.send_signal(number)

    def finish(self, timeout: float = 30) -> str:
        """Wait for its end; everything it printed."""
        assert self.process
        self.output += self.process.communicate(timeout=timeout)[0]
        return self.output

    def recorded(self) -> dict[str, int]:
        """The pids of its children by name."""
        entries = json.loads((self.home / "run" / "processes.json").read_text())
        return {entry["name"]: entry["pid"] for entry in entries}


MakeRunner = Callable[..., Runner]
