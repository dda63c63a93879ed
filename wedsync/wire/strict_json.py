"""JSON from outside: UTF-8, with or without a byte order mark, no NaN, no duplicate keys, at most 32 deep, 256 KiB.

docs/vendors/README.md, "What comes back".
"""

import json
import math
from codecs import BOM_UTF8
from typing import Any

DEEPEST = 32
LARGEST = 256 * 1024


class NotStrictJson(ValueError):
    """The body is not acceptable JSON; the message tells the sender why."""


def loads(body: bytes) -> Any:
    """The body's value.

    Raises:
        NotStrictJson: with the reason.
    """
    try:
        text = body.removeprefix(BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotStrictJson(f"the body is not UTF-8 at byte {error.start}") from error
    try:
        value = _DECODER.decode(text)
    except NotStrictJson:
        raise
    except RecursionError as error:
        raise NotStrictJson(f"the body is nested deeper than {DEEPEST}") from error
    except ValueError as error:
        raise NotStrictJson(f"the body is not JSON: {error}") from error
    if body.count(b"{") + body.count(b"[") > DEEPEST and _deeper_than(value, DEEPEST):
        raise NotStrictJson(f"the body is nested deeper than {DEEPEST}")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotStrictJson("an object in the body has the same key twice")
    return found


def _constant(name: str) -> Any:
    raise NotStrictJson(f"{name} is not JSON")


def _integer(text: str) -> int:
    if len(text) > 300:
        raise NotStrictJson("a number in the body is too long")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise NotStrictJson("a number in the body is too large")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_float)


def _deeper_than(value: Any, most: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    if most == 0:
        return True
    children = value.values() if isinstance(value, dict) else value
    return any(_deeper_than(child, most - 1) for child in children)


def is_storable(value: Any) -> bool:
    """Whether PostgreSQL can store every text in the value: none contains NUL or a lone surrogate."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, dict):
        return all(is_storable(key) and is_storable(child) for key, child in value.items())
    return all(is_storable(child) for child in value) if isinstance(value, list) else True
