"""However a person or a machine stops a run, what it started is stopped too."""

import signal
from typing import NoReturn


def _interrupted(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def end_on_signals() -> None:
    """Let SIGTERM and SIGHUP end a run as Ctrl-C does; a shell's background jobs ignore SIGINT at first."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
