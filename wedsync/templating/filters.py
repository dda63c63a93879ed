"""The filters and tests of templates. Each takes JSON values, and makes nothing larger than its bounds."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import Undefined, filters

MOST_LETTERS = 64 * 1024
MOST_DIGITS = 10
TESTS = (
    "defined", "undefined", "none", "boolean", "true", "false", "number", "integer", "float", "string", "mapping",
    "sequence", "in", "eq", "ne", "lt", "le", "gt", "ge", "==", "!=", "<", "<=", ">", ">=", "odd", "even",
)  # fmt: skip


class CannotRender(ValueError):
    """Why a template does not render; the message is for staff."""


class Json(str):
    """A text that is JSON already."""

    __slots__ = ()


def weigh(value: Any) -> int:
    """How large a value is: its letters, and one for each value in it.

    Raises:
        CannotRender: larger than any may be.
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
        if total + len(waiting) > MOST_LETTERS:
            raise CannotRender(f"it makes a value of more than {MOST_LETTERS} characters")
    return total


def tojson(value: Any) -> Json:
    """The value as JSON; what is missing as ``null``."""
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
    raise CannotRender("it prints something that is no JSON value; put |list behind it")


def string(value: Any) -> str:
    """A scalar as text; objects and lists as JSON; nothing as an empty text."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, Undefined):
        return "" if value is None else str(value)
    return tojson(value)


def rounded(value: Any, digits: int = 0) -> float:
    """To so many digits behind the point."""
    if not 0 <= digits <= MOST_DIGITS:
        raise CannotRender(f"round takes 0 to {MOST_DIGITS} digits")
    return round(float(value), digits)


def join(values: Iterable[Any], between: str = "") -> str:
    """All as one text."""
    texts, separator = [], string(between)
    size = 0
    for value in as_list(values):
        texts.append(string(value))
        size += len(texts[-1]) + len(separator)
        if size - len(separator) > MOST_LETTERS:
            raise CannotRender(f"it makes a value of more than {MOST_LETTERS} characters")
    return separator.join(texts)


def replace(value: Any, old: str, new: str) -> str:
    """One text instead of another, wherever it stands."""
    text = string(value)
    if not old:
        raise CannotRender("replace needs a text to look for")
    if len(text) + text.count(old) * len(new) > MOST_LETTERS:
        raise CannotRender(f"it makes a value of more than {MOST_LETTERS} characters")
    return text.replace(old, new)


def as_list(value: Any) -> list[Any]:
    """The elements of a list, the keys of an object, the letters of a text."""
    if isinstance(value, Undefined):
        return list(value)
    if not isinstance(value, Iterable):
        raise CannotRender("it goes through something that is no list")
    made: list[Any] = []
    total = 0
    for each in value:
        made.append(each)
        total += weigh(each)
        if total > MOST_LETTERS:
            raise CannotRender(f"it makes a value of more than {MOST_LETTERS} characters")
    return made


def items(value: Any) -> list[tuple[str, Any]]:
    """The names and values of an object."""
    return list(value.items()) if isinstance(value, Mapping) else []


def length(value: Any) -> int:
    """How many letters, elements or fields."""
    return len(value)


def absolute(value: Any) -> Any:
    """Without its sign."""
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
