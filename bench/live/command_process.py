"""Processes that execute commands: each line of input is one, answered with a line of JSON."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.errors import BenchError
from bench.ground import ROOT
from wedsync.runner.supervision.processes import kill_group
from wedsync.runner.supervision.program import last_lines


class CommandProcess:
    """A process that executes commands, which it gets line by line."""

    def __init__(self, words: tuple[str, ...], environment: Mapping[str, str], log: Path) -> None:
        self._words, self._environment, self._log = words, dict(environment), log

    def __enter__(self) -> Self:
        """Start it."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self._words], cwd=ROOT, env=self._environment, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True,
            )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        kill_group(self._process.pid)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def ask(self, line: str) -> Any:
        """The answer to one line.

        Raises:
            BenchError: the process has ended.
        """
        answer = ""
        if self._process.stdin and self._process.stdout:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        if answer:
            return json.loads(answer)
        raise BenchError(f"{self._words[0]} has ended. The end of its log:\n{last_lines(self._log, 20)}")
