"""Requests, calls and responses."""

import json
import re
import time
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

LONGEST_WAIT = 86400.0
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True)
class Request:
    """A request without credentials: frozen at the first attempt, so that every retry sends the same bytes."""

    method: str
    path: str
    body: str
    headers: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For the delivery's row."""
        return {"method": self.method, "path": self.path, "body": self.body, "headers": self.headers}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Request":
        """From the delivery's row."""
        return cls(**stored)


@dataclass(frozen=True)
class Call:
    """A request ready to be sent: full URL, and headers with credentials. Lives only for one attempt.

    Its ``repr`` shows neither, since some providers' URLs are credentials themselves.
    """

    method: str
    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False)


@dataclass(frozen=True)
class Response:
    """An answer. ``headers``: names in lower case; ``body``: at most 64 KiB."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text; undecodable bytes are replaced."""
        return self.body.decode("utf-8", errors="replace")

    def value_at(self, *path: str | int) -> Any:
        """The value at a place of a JSON body, by keys and indexes; ``None``: there is none, or no JSON to be read."""
        try:
            found = json.loads(self.body)
            for each in path:
                found = found[each]
        except (ValueError, LookupError, TypeError, RecursionError):
            return None
        return found

    def number_at(self, *path: str | int) -> int | None:
        """The whole number at a place of a JSON body, which may be written as a text; ``None``: there is none."""
        try:
            return int(self.value_at(*path))
        except (ValueError, TypeError, OverflowError):
            return None

    def text_at(self, *path: str | int) -> str:
        """The text or number at a place of a JSON body; empty: there is none."""
        found = self.value_at(*path)
        return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""

    @property
    def retry_after(self) -> float | None:
        """Seconds from ``Retry-After``, between 0 and a day; ``None`` if it is missing or unreadable.

        A date counts from the answer's own ``Date``, since the other side's clock may be wrong: RFC 9110, 10.2.3.
        """
        text = self.headers.get("retry-after", "").strip()
        if _SECONDS.fullmatch(text):
            return min(float(text[:20]), LONGEST_WAIT)
        until = _moment(text)
        if until is None:
            return None
        sent = _moment(self.headers.get("date", ""))
        return min(max(until - (time.time() if sent is None else sent), 0.0), LONGEST_WAIT)


def _moment(text: str) -> float | None:
    """An HTTP date as seconds of the Unix clock."""
    try:
        found = parsedate_to_datetime(text[:64])
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
