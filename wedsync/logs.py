"""Structured logs: one JSON line per log event on standard error, with secrets blanked."""

import atexit
import contextlib
import logging.config
import re
import sys
import threading
import time
from collections import deque
from collections.abc import MutableMapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import structlog

SECRET_NAME = re.compile(r"secret|token|password|authorization|credential|signature|api_key|cookie", re.IGNORECASE)
BLANK = "[redacted]"
TOGETHER_SECONDS = 0.1
LONGEST_PATH = 300  # characters
LINK = re.compile(
    r"(/(?:acknowledge|emergency|unsubscribe|couple/+(?:open|calendar|[^/\s]+/+start))/+)[^/\s\"']{20,}", re.IGNORECASE
)
"""A link's token in a path, and what precedes it. The holder of such a link may act, or see a wedding."""
ACCESS = "wedsync.access"
correlation_id: ContextVar[UUID | None] = ContextVar("correlation_id", default=None)
request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Set by :mod:`wedsync.correlation` and included in each log line; turned into text only when a line is written."""
_access = logging.getLogger(ACCESS)


def redact(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank every value whose name sounds like a secret's, at any depth, and links that let their holder act."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: BLANK if SECRET_NAME.search(str(key)) else clean(item) for key, item in value.items()}
        if isinstance(value, str):
            return LINK.sub(rf"\1{BLANK}", value)
        return [clean(item) for item in value] if isinstance(value, list | tuple) else value

    for key in list(entry):
        entry[key] = BLANK if SECRET_NAME.search(key) else clean(entry[key])
    return entry


def identified(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the ids of the current request or work."""
    if (current := correlation_id.get()) is not None:
        entry.setdefault("correlation_id", str(current))
        if request := request_id.get():
            entry.setdefault("request_id", request)
    return entry


class _Lines(structlog.stdlib.ProcessorFormatter):
    """Formats structlog's lines; those of :func:`access` are already complete, which saves time on every request."""

    def format(self, record: logging.LogRecord) -> str:
        return str(record.msg) if record.name == ACCESS else super().format(record)


class _AccessLines:
    """Lines of requests, written in batches by a separate thread: one by one they would slow the receiver."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._thread: threading.Thread | None = None

    def add(self, line: bytes) -> None:
        """Queue a line, which is written within a fraction of a second."""
        self._waiting.append(line)
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="access-lines", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(TOGETHER_SECONDS)
            self.write()

    def write(self) -> None:
        """Write the queued lines."""
        lines = []
        with contextlib.suppress(IndexError):  # empty
            while True:
                lines.append(self._waiting.popleft())
        if lines:
            _access.info(b"\n".join(lines).decode())


_lines = _AccessLines()
atexit.register(_lines.write)


def access(*, path: str, **facts: str | int | float) -> None:
    """Write the line of one request. ``path``: without its query, which may hold a ticket."""
    if not _access.isEnabledFor(logging.INFO):
        return
    line = {
        "event": "request",
        "path": LINK.sub(rf"\1{BLANK}", path)[:LONGEST_PATH],
        **facts,
        "level": "info",
        "logger": ACCESS,
        "timestamp": f"{datetime.now(UTC).isoformat().removesuffix('+00:00')}Z",
    }
    _lines.add(orjson.dumps(line))


def configure(level: str, *, file: str = "", most_bytes: int = 0) -> None:
    """Make structlog and the standard library write the same kind of lines.

    Arguments:
        file: the log file, for this process alone; empty: standard error.
        most_bytes: the size at which the file is rotated to ``<file>.1`` while the process runs.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        identified,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(_config(level, _handler(file, most_bytes), shared))
    if file:
        _catch_the_rest()


def _config(level: str, handler: dict[str, Any], shared: list[Any]) -> dict[str, Any]:
    """The standard library's configuration. ``shared``: the processors that make its lines like structlog's."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": _Lines,
                "foreign_pre_chain": shared,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(),
                ],
            }
        },
        "handlers": {"lines": handler},
        "loggers": _loggers(level),
        "root": {"handlers": ["lines"], "level": level},
    }


def _loggers(level: str) -> dict[str, Any]:
    """Other packages' loggers that say too much, or bypass our handler."""
    quieter = level if level == "DEBUG" else "WARNING"
    return {
        # Its lines contain paths of URLs, and the path of a Slack webhook is a secret.
        "urllib3": {"level": "ERROR"},
        # Two lines per message, which say less than our own.
        "celery.worker.strategy": {"level": quieter},
        "celery.app.trace": {"level": quieter},
        # It installs its own handler before it reads our settings; its level stays.
        "uvicorn": {"handlers": [], "propagate": True},
        "uvicorn.error": {"handlers": [], "propagate": True},
        # Our access log says more, and omits queries and links (wedsync.correlation).
        "uvicorn.access": {"handlers": [], "propagate": False},
    }


def _handler(file: str, most_bytes: int) -> dict[str, Any]:
    if not file:
        return {"class": "logging.StreamHandler", "formatter": "json"}
    return {
        "class": "logging.handlers.RotatingFileHandler",
        "formatter": "json",
        "filename": file,
        "maxBytes": most_bytes,
        "backupCount": 1,
        "encoding": "utf-8",
    }


def _catch_the_rest() -> None:
    """Log what Python itself would print: warnings, and uncaught errors."""
    logging.captureWarnings(capture=True)
    log = logging.getLogger("python")
    sys.excepthook = lambda kind, error, trace: log.critical("uncaught", exc_info=(kind, error, trace))
    threading.excepthook = lambda given: log.critical(
        "uncaught", exc_info=(given.exc_type, given.exc_value or given.exc_type(), given.exc_traceback)
    )
