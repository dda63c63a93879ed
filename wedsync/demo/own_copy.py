"""A copy of WedSync for one run of the demo: a free port, a temporary home, the runner in its own process."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wedsync.runner import environment
from wedsync.runner.embedded import EmbeddedPostgres, EmbeddedValkey
from wedsync.runner.errors import RunnerError
from wedsync.runner.home import Home
from wedsync.runner.ports import LOCAL
from wedsync.runner.supervision.processes import ProcessRecord, end_orphans
from wedsync.runner.supervision.program import last_lines

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 240.0
STOP_SECONDS = 60.0
HURRY_SECONDS = 20.0


def free_port() -> int:
    """A port that no process listens on."""
    with socket.socket() as probe:
        probe.bind((LOCAL, 0))
        return int(probe.getsockname()[1])


class OwnCopy:
    """Begin with :meth:`start`; whatever happens then, end with :meth:`stop` and :meth:`remove`.

    Arguments:
        variables: further environment variables of the copy, such as shorter times.
    """

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = dict(variables or {})
        self.folder = Path(tempfile.mkdtemp(prefix="wedsync-demo-"))
        if os.geteuid() == 0:
            self.folder.chmod(0o711)  # root's PostgreSQL runs as another user, who needs access
        self.home = Home(self.folder / "home")
        self.port = free_port()
        self.output = self.folder / "runner.out"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> dict[str, Any]:
        """Start the copy; returns the content of ``demo.json`` once everything answers.

        Raises:
            RunnerError: it did not start; the message includes the end of its output.
        """
        own = {**self._variables, "PORT": str(self.port), "WEDSYNC_HOME": str(self.home.path)}
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "wedsync.runner"],
                cwd=ROOT,
                env=environment.unconfigured(os.environ) | own,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.home.ready_file.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RunnerError(f"The copy did not start. The end of its output:\n{last_lines(self.output, 25)}")
            time.sleep(0.05)
        facts: dict[str, Any] = json.loads(self.home.demo_file.read_text(encoding="utf-8"))
        return facts

    def report(self, *event_ids: str) -> dict[str, Any]:
        """What ``manage.py demo_report --json`` says about these events.

        Raises:
            RunnerError: the command failed.
        """
        asked = subprocess.run(
            [sys.executable, "manage.py", "demo_report", "--json", *event_ids],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if asked.returncode:
            raise RunnerError(f"demo_report failed:\n{asked.stderr[-2000:]}")
        said: dict[str, Any] = json.loads(asked.stdout)
        return said

    def environment(self) -> dict[str, str]:
        """The environment in which a command uses the running copy."""
        return environment.for_children(
            environment.unconfigured(os.environ) | self._variables,
            self.home,
            self.port,
            int(self.home.sandbox_port_file.read_text()),
            database_url=EmbeddedPostgres(self.home).url,
            redis_url=EmbeddedValkey(self.home).url,
        )

    def stop(self) -> None:
        """Stop the copy: in order, then quickly, then by force. A Ctrl-C meanwhile skips to the quick way."""
        process, self._process = self._process, None
        if process is None:
            return
        for patience in (STOP_SECONDS, HURRY_SECONDS):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(patience)
                break
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                continue
        if process.poll() is None:
            process.kill()
            process.wait()
        end_orphans(ProcessRecord(self.home.run / "processes.json"), self.home.path)

    def remove(self) -> None:
        """Remove the temporary home."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def log_tails(self, lines: int = 6) -> str:
        """The end of every log that is not empty, for a run that failed."""
        tails = ((log, last_lines(log, lines)) for log in sorted(self.home.logs.glob("*.log")))
        return "\n\n".join(f"--- the end of {log}\n{tail}" for log, tail in tails if tail)
