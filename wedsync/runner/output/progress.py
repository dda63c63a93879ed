"""What a person sees while it starts, runs and stops: on a terminal, in a pipe, and in the runner's own log."""

import contextlib
import logging
import os
import sys
import time
from collections.abc import Iterator
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from wedsync.runner.output.log_files import Notes


class _LastingConsole(Console):
    """Goes quiet when its pipe breaks, where rich would end the process and leave the servers running."""

    def on_broken_pipe(self) -> None:
        """Discard all output from now on."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Progress:
    """One line per step and per notice. A lost terminal never stops the runner."""

    def __init__(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure:
                reconfigure(errors="replace")
        self._console = _LastingConsole(highlight=False, soft_wrap=True, emoji=False)
        self._errors = _LastingConsole(stderr=True, highlight=False, soft_wrap=True, emoji=False)
        self._status: Status | None = None
        self.notes: Notes | None = None

    @contextlib.contextmanager
    def step(self, label: str) -> Iterator[None]:
        """Show that a step is in progress, then how long it took."""
        began = time.monotonic()
        with contextlib.ExitStack() as stack:
            if self._console.is_terminal:
                self._status = stack.enter_context(self._console.status(escape(label)))
            try:
                yield
            finally:
                self._status = None
        self._print(f"  [green]ok[/]  {escape(label)}  [dim]{time.monotonic() - began:.1f} s[/]", label)

    def detail(self, text: str) -> None:
        """What the current step waits for; shown only on a terminal."""
        if self._status:
            self._status.update(escape(text))

    def news(self, text: str) -> None:
        """An event that nobody asked for, with its time."""
        self._print(f"[dim]{datetime.now().astimezone():%H:%M:%S}[/]  [yellow]{escape(text)}[/]", text)

    def say(self, text: str) -> None:
        """A plain line or block, exactly as given."""
        self._print(escape(text), text.strip().splitlines()[0] if text.strip() else "")

    def error(self, text: str) -> None:
        """The reason why the runner stops."""
        self._note(text, logging.ERROR)
        with contextlib.suppress(OSError):
            self._errors.print(f"[red]WedSync:[/] {escape(text)}")

    def _print(self, markup: str, plain: str) -> None:
        self._note(plain)
        with contextlib.suppress(OSError):
            self._console.print(markup)

    def _note(self, text: str, level: int = logging.INFO) -> None:
        if self.notes:
            self.notes.add(text, level)
