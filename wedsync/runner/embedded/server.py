"""What the embedded servers have in common: they can be prepared, described, started, checked and stopped."""

import os
import subprocess
from abc import ABC, abstractmethod

from wedsync.runner.errors import RunnerError
from wedsync.runner.home import Home
from wedsync.runner.supervision.processes import kill_group, wait_until
from wedsync.runner.supervision.program import Program, last_lines

START_TIMEOUT = 60.0
"""The most seconds until a server answers, including recovery after a crash."""


class EmbeddedServer(ABC):
    """A server that keeps its data in a home folder and listens only on a Unix socket.

    The supervisor uses :meth:`prepare`, :meth:`program` and :meth:`answers`; tests and tools, which need no
    supervisor, use :meth:`start` and :meth:`stop`.
    """

    label: str

    def __init__(self, home: Home) -> None:
        self.home = home
        self.runtime = home.runtime()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The URL for clients."""

    @abstractmethod
    def prepare(self) -> None:
        """Create its data if missing.

        Raises:
            RunnerError: the data cannot be used; the message says why.
        """

    @abstractmethod
    def program(self) -> Program:
        """What to run; needs :meth:`prepare` first."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it serves clients now.

        Raises:
            RunnerError: it answers, but will never serve us.
        """

    def start(self) -> None:
        """Prepare, start, and return once it answers; does nothing if it runs. Data are kept after :meth:`stop`.

        Raises:
            RunnerError: it ended or did not answer in time.
        """
        if self.process and self.process.poll() is None:
            return
        self.home.create()
        self.prepare()
        program = self.program()
        if program.before_start:
            program.before_start()
        with program.log.open("ab") as log:
            process = subprocess.Popen(program.command, **program.popen_options(log))
        self.process = process
        in_time = wait_until(lambda: process.poll() is not None or self.answers(), START_TIMEOUT)
        if not in_time or process.poll() is not None:
            self.stop()
            raise RunnerError(f"{self.label} did not start. The end of {program.log}:\n{last_lines(program.log)}")

    def stop(self) -> None:
        """Stop it in order; kill it if it does not stop."""
        process, self.process = self.process, None
        if process is None:
            return
        program = self.program()
        for number in (program.stop_signal, program.hurry_signal):
            if process.poll() is None:
                process.send_signal(number)
            try:
                process.wait(program.grace)
                break
            except subprocess.TimeoutExpired:
                continue
        kill_group(process.pid)
        process.wait()

    def environment(self) -> dict[str, str]:
        """The server's environment, without the user's: PGPORT or PGDATA in that would mislead it."""
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "WEDSYNC_HOME": str(self.home.path)}
