"""A process inside the product that waits for commands, so that its start costs nothing during measurements."""

import json
import subprocess
import tempfile
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from bench.errors import BenchError
from bench.ground import ROOT
from bench.servers import python

READY = "ready"


class Standby:
    """The process. It prints ``ready``, and then a line of JSON for each line of words."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115  # as long as the process
        self._process = subprocess.Popen(
            python("-m", "bench.isolation.inside"),
            cwd=ROOT,
            env=dict(environment),
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
        )

    def __enter__(self) -> Self:
        """Wait until it is ready.

        Raises:
            BenchError: it ended instead.
        """
        try:
            self._line()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
        self._complaints.close()

    def go(self, *words: str) -> None:
        """Start a command of :mod:`bench.isolation.inside`."""
        if self._process.stdin:
            self._process.stdin.write(json.dumps(words) + "\n")
            self._process.stdin.flush()

    def result(self) -> Any:
        """The command's result, once it has ended.

        Raises:
            BenchError: it failed.
        """
        return json.loads(self._line())

    def do(self, *words: str) -> Any:
        """Run a command, and return its result."""
        self.go(*words)
        return self.result()

    def _line(self) -> str:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            self._complaints.seek(0)
            raise BenchError(f"A command inside the product failed:\n{self._complaints.read()[-2000:]}")
        return line
