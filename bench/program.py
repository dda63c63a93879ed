"""The start and end that all programs here share. A stopped run stops everything that it started."""

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
"""The exit code of a program that a person stopped, as in shells: 128 plus the number of SIGINT."""


def run(name: str, console: Console, work: Callable[[Console], int]) -> int:
    """Do the work of one program, and print on the console why it ended early.

    Arguments:
        name: the beginning of its messages.
        work: returns the exit code.

    Returns:
        The work's own exit code; 1 if it could not go on; 130 if it was stopped.
    """
    os.umask(0o077)  # the home contains keys
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
    """Write the figures of a run as JSON, and make the folder if needed."""
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(figures, indent=1) + "\n")


def _end_on_signals() -> None:
    """Let SIGTERM and SIGHUP end a run as Ctrl-C does; a shell's background jobs ignore SIGINT at first."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)


def _interrupted(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
