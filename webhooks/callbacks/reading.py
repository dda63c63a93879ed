"""Reading what providers send: strict JSON, their times, and ids that stay the same when a thing comes again."""

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

from webhooks.callbacks.base import Unreadable
from wedsync import strict_json

LONGEST_ID = 200
LONGEST_NAME = 64
_UNIX_SECONDS = re.compile(r"[0-9]{1,11}(\.[0-9]{1,9})?", re.ASCII)


def json_object(content: bytes) -> dict[str, Any]:
    """The JSON object, of which PostgreSQL can store every part.

    Raises:
        Unreadable: it is none.
    """
    try:
        value = strict_json.loads(content)
    except strict_json.NotStrictJson as error:
        raise Unreadable(str(error)) from error
    if not isinstance(value, dict):
        raise Unreadable("the body is not a JSON object")
    if not strict_json.is_storable(value):
        raise Unreadable("a text of the body holds a NUL or a lone surrogate")
    return value


def part(parent: object, name: str) -> dict[str, Any]:
    """The object of that name; an empty one where there is none."""
    value = parent.get(name) if isinstance(parent, dict) else None
    return value if isinstance(value, dict) else {}


def text(parent: dict[str, Any], name: str) -> str:
    """The text of that name; an empty one where there is none."""
    value = parent.get(name)
    return value if isinstance(value, str) else ""


def dedup_id(text: str) -> str:
    """The text itself where it can be stored as an id, else its SHA-256."""
    return text if len(text) <= LONGEST_ID and text.isprintable() else hashlib.sha256(text.encode()).hexdigest()


def fingerprint(value: object) -> str:
    """The SHA-256 of a JSON value, in which neither spaces nor the order of keys count."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def unix_time(value: object, otherwise: datetime) -> datetime:
    """Unix seconds, as a number or as text with or without a fraction."""
    seconds = str(value)
    if not _UNIX_SECONDS.fullmatch(seconds):
        return otherwise
    return datetime.fromtimestamp(float(seconds), UTC)


def iso_time(value: object, otherwise: datetime) -> datetime:
    """ISO 8601 with an offset."""
    try:
        found = datetime.fromisoformat(str(value))
        return found.astimezone(UTC) if found.tzinfo else otherwise
    except (ValueError, OverflowError):
        return otherwise
