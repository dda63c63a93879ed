"""Keeps logs small while their process runs: at a certain size they are rotated to ``<name>.log.1``.

Our own processes do it themselves, with a handler of the standard library (``WEDSYNC_LOG_FILE``). Other programs write
to the file that they were started with, so it is copied and emptied for them; a line written in that very moment may be
lost.
"""

import asyncio
import contextlib
import json
import logging
import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

LOOK_SECONDS = 5.0


def set_aside(log: Path, limit: int) -> bool:
    """Copy and empty a log larger than ``limit`` bytes; whether it was. Its writers append."""
    try:
        if log.stat().st_size <= limit:
            return False
        shutil.copyfile(log, log.with_suffix(".log.1"))
        with log.open("r+b") as file:
            file.truncate(0)
    except OSError:  # no space, or the log is gone; the next check tries again
        return False
    return True


async def keep_small(logs: Callable[[], Iterable[Path]], limit: int, every: float = LOOK_SECONDS) -> None:
    """Check these logs for as long as the event loop runs."""
    while True:
        await asyncio.sleep(every)
        for log in list(logs()):
            await asyncio.to_thread(set_aside, log, limit)


class Notes:
    """The runner's own log: one JSON line per event, rotated like the others."""

    def __init__(self, path: Path, limit: int) -> None:
        self._handler = RotatingFileHandler(path, maxBytes=limit, backupCount=1, encoding="utf-8")
        self._handler.setFormatter(_JsonLine())

    def add(self, text: str, level: int = logging.INFO) -> None:
        """Write a line; a full disk never stops the runner."""
        with contextlib.suppress(OSError):
            self._handler.handle(logging.LogRecord("runner", level, "", 0, text, None, None))

    def close(self) -> None:
        """Write nothing more."""
        self._handler.close()


class _JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(
            {
                "event": record.getMessage(),
                "level": record.levelname.lower(),
                "logger": record.name,
                "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            },
            ensure_ascii=False,
        )
