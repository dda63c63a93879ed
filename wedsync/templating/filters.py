"""The filters and tests of templates. Each takes JSON values, and produces nothing larger than its limits."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import Undefined, filters

MOST_CHARACTERS = 64 * 1024
MOST_DIGITS = 10
TESTS = (
    "defined", "undefined", "none", "boolean", "true", "false", "number", "integer", "float", "string", "mapping",
    "sequence", "in", "eq", "ne", "lt", "le", "gt", "ge", "==", "!=", "<", "<=", ">", ">=", "odd", "even",
)  # fmt: skip


class CannotRender(ValueError):
    """Why a template does not render; the message is for staff."""


class Json(str):
    """A text that is already JSON."""

    __slots__ = ()


def weigh(value: Any) -> int:
    """The size of a value: its characters, plus one for each value in it.

    Raises:
        CannotRender: it is larger than a value may be.
    """
    total, waiting = 0, [value]
    while waiting:
        found = waiting.pop()
        total += 1
        if isinstance(found, str):
            total += len(found)
        elif isinstance(found, Mapping):
            waiting.extend(found.keys())
            waiting.extend(found.values())
        elif isinstance(found, list | tuple):
            waiting.extend(found)
        if total + len(waiting) > MOST_CHARACTERS:
            raise CannotRender(f"it produces a value of more than {MOST_CHARACTERS:,} characters")
    return total


def tojson(value: Any) -> Json:
    """The value as JSON; a missing one as ``null``."""
    return Json(json.dumps(_plain(value), ensure_ascii=False, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, Undefined):
        str(value)  # a strict one raises
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping | list | tuple):
        weigh(value)
        return value
    raise CannotRender("it prints something that is not a JSON value; add |list after it")


def string(value: Any) -> str:
    """A scalar as text; objects and lists as JSON; ``None`` as an empty text."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, Undefined):
        return "" if value is None else str(value)
    return tojson(value)


def rounded(value: Any, digits: int = 0) -> float:
    """A number rounded to a number of decimals."""
    if not 0 <= digits <= MOST_DIGITS:
        raise CannotRender(f"round allows 0 to {MOST_DIGITS} digits")
    return round(float(value), digits)


def join(values: Iterable[Any], between: str = "") -> str:
    """All values joined to one text."""
    texts, separator = [], string(between)
    size = 0
    for value in as_list(values):
        texts.append(string(value))
        size += len(texts[-1]) + len(separator)
        if size - len(separator) > MOST_CHARACTERS:
            raise CannotRender(f"it produces a value of more than {MOST_CHARACTERS:,} characters")
    return separator.join(texts)


def replace(value: Any, old: str, new: str) -> str:
    """Replace one text by another wherever it occurs."""
    text = string(value)
    if not old:
        raise CannotRender("replace needs a text to search for")
    if len(text) + text.count(old) * len(new) > MOST_CHARACTERS:
        raise CannotRender(f"it produces a value of more than {MOST_CHARACTERS:,} characters")
    return text.replace(old, new)


def as_list(value: Any) -> list[Any]:
    """The elements of a list, the keys of an object, the characters of a text."""
    if isinstance(value, Undefined):
        return list(value)
    if not isinstance(value, Iterable):
        raise CannotRender("it loops over something that is not a list")
    made: list[Any] = []
    total = 0
    for each in value:
        made.append(each)
        total += weigh(each)
        if total > MOST_CHARACTERS:
            raise CannotRender(f"it produces a value of more than {MOST_CHARACTERS:,} characters")
    return made


def items(value: Any) -> list[tuple[str, Any]]:
    """The names and values of an object."""
    return list(value.items()) if isinstance(value, Mapping) else []


def length(value: Any) -> int:
    """The number of characters, elements or fields."""
    return len(value)


def absolute(value: Any) -> Any:
    """The absolute value."""
    return abs(value)


FILTERS: dict[str, Any] = {
    "abs": absolute,
    "capitalize": lambda value: string(value).capitalize(),
    "count": length,
    "d": filters.do_default,
    "default": filters.do_default,
    "first": lambda value: next(iter(value), None),
    "float": filters.do_float,
    "int": filters.do_int,
    "items": items,
    "join": join,
    "last": lambda value: as_list(value)[-1] if value else None,
    "length": length,
    "list": as_list,
    "lower": lambda value: string(value).lower(),
    "map": filters.FILTERS["map"],
    "reject": filters.FILTERS["reject"],
    "rejectattr": filters.FILTERS["rejectattr"],
    "replace": replace,
    "round": rounded,
    "select": filters.FILTERS["select"],
    "selectattr": filters.FILTERS["selectattr"],
    "sort": filters.FILTERS["sort"],
    "string": string,
    "title": lambda value: string(value).title(),
    "tojson": tojson,
    "trim": lambda value: string(value).strip(),
    "unique": filters.FILTERS["unique"],
    "upper": lambda value: string(value).upper(),
}
