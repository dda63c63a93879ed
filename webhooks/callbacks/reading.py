"""Reads providers' callbacks: storable JSON, times, and ids that identify repeated notices.

A provider puts many people's updates into one body, so an odd one must not drop the others: a text that PostgreSQL
cannot store is cleaned, and the update is kept. docs/operators/callbacks.md, "Unreadable bodies".
"""

import hashlib
import json
import math
import re
from datetime import UTC, datetime
from typing import Any

from webhooks.callbacks.base import Unreadable
from webhooks.models import ProviderNotice
from wedsync.wire.strict_json import DEEPEST

LONGEST_ID = 200
LONGEST_NAME = 64
LONGEST_NUMBER = 300  # characters
UNFIT = "\ufffd"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_UNIX_SECONDS = re.compile(r"[0-9]{1,11}(\.[0-9]{1,9})?", re.ASCII)


def json_object(content: bytes) -> dict[str, Any]:
    """The JSON object, changed so that PostgreSQL can store every part.

    Bytes that are not UTF-8, NUL, lone surrogates and invalid numbers become U+FFFD or text; parts nested deeper than
    :data:`DEEPEST` are left out.

    Raises:
        Unreadable: it is not JSON, or not an object.
    """
    try:
        value = _DECODER.decode(content.decode("utf-8", errors="replace"))
    except RecursionError as error:
        raise Unreadable("the body is nested too deeply") from error
    except ValueError as error:
        raise Unreadable(f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise Unreadable("the body is not a JSON object")
    cleaned: dict[str, Any] = _storable(value, DEEPEST)
    return cleaned


def storable_text(value: str) -> str:
    """The text, with U+FFFD in place of each character that PostgreSQL cannot store."""
    return _UNSTORABLE.sub(UNFIT, value)


def part(parent: object, name: str) -> dict[str, Any]:
    """The object of that name; an empty one if there is none."""
    value = parent.get(name) if isinstance(parent, dict) else None
    return value if isinstance(value, dict) else {}


def text(parent: dict[str, Any], name: str) -> str:
    """The text of that name; an empty one if there is none."""
    value = parent.get(name)
    return value if isinstance(value, str) else ""


def digits(parent: dict[str, Any], name: str) -> str:
    """The digits of that name, which may be a number or begin with a plus; otherwise an empty text."""
    value = parent.get(name)
    written = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    found = written.strip().removeprefix("+")
    return found if found.isascii() and found.isdigit() else ""


def dedup_id(text: str) -> str:
    """The text itself if it can be stored as an id, otherwise its SHA-256."""
    return text if len(text) <= LONGEST_ID and text.isprintable() else hashlib.sha256(text.encode()).hexdigest()


def fingerprint(value: object) -> str:
    """The SHA-256 of a JSON value, independent of spaces and the order of keys."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def unix_time(value: object, otherwise: datetime) -> datetime:
    """The time in Unix seconds, a number or text with or without a fraction; ``otherwise`` if it cannot be read."""
    seconds = str(value)
    if not _UNIX_SECONDS.fullmatch(seconds):
        return otherwise
    return datetime.fromtimestamp(float(seconds), UTC)


def iso_time(value: object, otherwise: datetime) -> datetime:
    """The time in ISO 8601 with an offset; ``otherwise`` if it cannot be read."""
    try:
        found = datetime.fromisoformat(str(value))
        return found.astimezone(UTC) if found.tzinfo else otherwise
    except (ValueError, OverflowError):
        return otherwise


def when(notice: ProviderNotice) -> datetime:
    """The provider's time, but never later than ours: a clock that is ahead would make later events look old."""
    return min(notice.occurred_at, notice.received_at)


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= LONGEST_NUMBER else digits


def _float(digits: str) -> float | str:
    value = float(digits)
    return value if math.isfinite(value) else digits


_DECODER = json.JSONDecoder(strict=False, parse_int=_integer, parse_float=_float, parse_constant=str)


def _storable(value: Any, levels: int) -> Any:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict):
        inner = value.items() if levels else ()
        return {storable_text(key): _storable(child, levels - 1) for key, child in inner}
    if isinstance(value, list):
        return [_storable(child, levels - 1) for child in value] if levels else []
    return value
