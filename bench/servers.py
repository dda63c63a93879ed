"""Server processes: started as by the Procfile, polled until they answer, ended by their own pid."""

import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.errors import BenchError
from bench.ground import ROOT, Ground
from wedsync.runner.embedded.postgres import NAME
from wedsync.runner.ports import LOCAL
from wedsync.runner.supervision import procfile
from wedsync.runner.supervision.processes import kill_group, wait_until
from wedsync.runner.supervision.program import last_lines
from wedsync.runner.supervision.readiness import url_answers

START_SECONDS = 60.0
STOP_SECONDS = 20.0


def free_port() -> int:
    """A port of this machine that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((LOCAL, 0))
        return int(probe.getsockname()[1])


def web_command(*more: str) -> tuple[str, ...]:
    """The Procfile's web process, with further options of :mod:`wedsync.web.server`."""
    return procfile.shell(" ".join([procfile.read(ROOT / "Procfile")["web"], *more]))


class Server:
    """One server process.

    Arguments:
        ready: a path that is answered 200 once the server is ready.
        log: where its output goes.
    """

    def __init__(
        self, name: str, command: tuple[str, ...], environment: Mapping[str, str], port: int, ready: str, log: Path
    ) -> None:
        self.name = name
        self.port = port
        self.log = log
        self._command = command
        self._environment = dict(environment) | {"WEDSYNC_PROCESS": name}
        self._ready = f"http://{LOCAL}:{port}{ready}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    def start(self) -> None:
        """Start it, and return once it answers.

        Raises:
            BenchError: it ended, or does not answer in time; the message contains the end of its log.
        """
        with self.log.open("ab") as log:
            process = self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            wait_until(lambda: process.poll() is not None or self.answers(), START_SECONDS)
            if process.poll() is not None or not self.answers():
                raise BenchError(f"{self.name} did not start. The end of its log:\n{last_lines(self.log, 20)}")
        except BaseException:
            self.kill()
            raise

    def answers(self) -> bool:
        """Whether it is ready."""
        return url_answers(self._ready)

    @property
    def pid(self) -> int:
        """The id of the running process.

        Raises:
            BenchError: it is not running.
        """
        if self._process is None or self._process.poll() is not None:
            raise BenchError(f"{self.name} is not running. The end of its log:\n{last_lines(self.log, 20)}")
        return self._process.pid

    def resident_bytes(self) -> int:
        """The memory that the process uses now (``VmRSS``, proc_pid_status(5))."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise BenchError(f"The system does not report the memory of {self.name}.")

    def kill(self) -> None:
        """Send SIGKILL to it and to all that it started."""
        if self._process:
            kill_group(self._process.pid)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Ask it to stop; kill it if it does not."""
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        self.kill()


def python(*words: str) -> tuple[str, ...]:
    """A command of this interpreter."""
    return (sys.executable, *words)


def our_web(ground: Ground, database: str = NAME, name: str = "web", more: Mapping[str, str] | None = None) -> Server:
    """Our own web process on one of the databases, not yet started.

    Arguments:
        more: further environment variables.
    """
    port = free_port()
    environment = ground.environment(port, database) | dict(more or {})
    return Server(name, web_command(), environment, port, "/readyz", ground.home.log(name))
