"""Structured logs: one JSON line per happening on standard error, with secrets blanked."""

import logging.config
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

SECRET_NAME = re.compile(r"secret|token|password|authorization|credential|signature|api_key|cookie", re.IGNORECASE)
BLANK = "[redacted]"
LINK = re.compile(r"(/(?:acknowledge|unsubscribe)/)[^/\s\"']{20,}")  # whoever holds such a link may act


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


def configure(level: str) -> None:
    """Let structlog and the standard library write the same lines."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
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
    config: dict[str, Any] = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "loggers": {
            # Its lines hold paths of URLs, and the path of a Slack webhook is a secret.
            "urllib3": {"level": "ERROR"},
            # Two lines a message, which say less than our own.
            "celery.worker.strategy": {"level": level if level == "DEBUG" else "WARNING"},
            "celery.app.trace": {"level": level if level == "DEBUG" else "WARNING"},
        },
        "root": {"handlers": ["stderr"], "level": level},
    }
    logging.config.dictConfig(config)
