"""What the programs here share: how they begin, and what ends them. A stopped run stops all that it started."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import psycopg2
from rich.console import Console
from rich.markup import escape

from bench.errors import BenchError
from wedsync.runner.errors import RunnerError

STOPPED = 130
"""The exit code of a program that a person stopped, as shells have it: 128 and the number of SIGINT."""


def run(name: str, console: Console, work: Callable[[Console], int]) -> int:
    """Do the work of one program, and say on the console why it ended before its end.

    Arguments:
        name: what its messages begin with.
        work: returns the exit code.

    Returns:
        The work's own exit code; 1 when it could not go on; 130 when it was stopped.
    """
    os.umask(0o077)  # the home holds keys
    _end_on_signals()
    try:
        return work(console)
    except (BenchError, RunnerError, psycopg2.Error) as error:
        console.print(f"[red]{name}:[/] {escape(str(error))}")
        return 1
    except KeyboardInterrupt:
        console.print(f"[red]{name}:[/] stopped before the end")
        return STOPPED


def keep(figures: Any, output: Path) -> None:
    """Write the figures of a run as JSON, and make the folder for it."""
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(figures, indent=1) + "\n")


def _end_on_signals() -> None:
    """Let SIGTERM and SIGHUP end a run as Ctrl-C does; a shell's background jobs ignore SIGINT at first."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)


def _interrupted(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
