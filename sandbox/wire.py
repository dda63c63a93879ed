"""One HTTP exchange as plain data, so that services are synchronous functions and know nothing about sockets."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = Any
"""A parsed JSON value. Python 3.11 has no recursive type alias that suits both mypy and readers."""


class NotJson(ValueError):
    """The body is not UTF-8 JSON."""


@dataclass(frozen=True)
class Call:
    """A request to one service; `path` is what follows the service's prefix, header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    received_at: float = field(default_factory=time.time)

    def json(self) -> Json:
        """Parse the body.

        Raises:
            NotJson: if it is not UTF-8 JSON, or contains NaN or Infinity, which no JSON parser but Python's accepts.
        """
        try:
            value = json.loads(self.body.decode("utf-8"), parse_constant=_refuse_constant)
            if b"\\u" in self.body:
                json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair, escaped, is not text
            return value
        except (ValueError, RecursionError) as error:
            raise NotJson(str(error)) from error

    def bearer(self) -> str | None:
        """The token of `Authorization: Bearer <token>`, or None."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token.strip() else None

    def redacted_headers(self) -> dict[str, str]:
        """The headers in a form that may be shown: credentials never leave the sandbox."""
        return {name: "[redacted]" if name in _SECRET_HEADERS else value for name, value in self.headers.items()}


@dataclass(frozen=True)
class Reply:
    """What a service answers."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})


def json_reply(status: int, value: Json, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON answer."""
    return Reply(status, json.dumps(value, ensure_ascii=False).encode(), "application/json", headers or {})


def text_reply(status: int, text: str, headers: Mapping[str, str] | None = None) -> Reply:
    """A plain-text answer."""
    return Reply(status, text.encode(), "text/plain", headers or {})


def iso(moment: float) -> str:
    """Unix seconds as ISO 8601 in UTC with microseconds, which sorts as text."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
