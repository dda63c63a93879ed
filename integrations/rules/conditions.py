"""The conditions of routes: does the value at a path of an event compare as required? Pure.

Numbers compare as numbers, even if one of the two is a number written as text, as amounts are. Times with an offset
compare as instants, all other text as text, which orders ISO dates and times. A condition on ``changes.*.field`` holds
if it holds for any element; ``not_equals`` holds if no element is equal. If the path leads to no value, only
``not_equals`` and ``exists`` with ``false`` hold.
"""

import re
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]
from django.db import models

from integrations.rules.facts import Facts, find
from wedsync.templating import time_budget

LONGEST_PATTERN = 500
PATTERN_MEMORY = 1 << 20  # bytes that one compiled pattern may use
_NUMBER = re.compile(r"[+-]?[0-9]{1,300}(\.[0-9]{1,300})?")


class Operator(models.TextChoices):
    """How the value found compares with the value wanted."""

    EQUALS = "equals", "equals"
    NOT_EQUALS = "not_equals", "does not equal"
    CONTAINS = "contains", "contains"
    STARTS_WITH = "starts_with", "starts with"
    IN = "in", "is one of"
    GREATER = "greater", "is greater than"
    LESS = "less", "is less than"
    EXISTS = "exists", "exists"
    MATCHES = "matches", "matches the pattern"


class Effect(models.TextChoices):
    """The effect of a condition that holds."""

    REQUIRE = "require", "must hold"
    EXCLUDE = "exclude", "must not hold"
    RAISE_PRIORITY = "raise_priority", "raises the priority"
    LOWER_PRIORITY = "lower_priority", "lowers the priority"


def check_value(operator: str, value: Any) -> None:
    """Refuse a wanted value that does not suit its operator.

    Raises:
        ValueError: what the value must be, worded for a person.
    """
    match operator:
        case Operator.EXISTS if not isinstance(value, bool):
            raise ValueError("Write true or false.")
        case Operator.IN if not isinstance(value, list) or not value:
            raise ValueError('Write a list, such as ["south", "north"].')
        case Operator.GREATER | Operator.LESS if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError("Write a number, or a date or time as text.")
        case Operator.STARTS_WITH if not isinstance(value, str) or not value:
            raise ValueError("Write some text.")
        case Operator.CONTAINS if value in (None, "", [], {}):
            raise ValueError("Write what it must contain.")
        case Operator.MATCHES:
            _check_pattern(value)


def _check_pattern(value: Any) -> None:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_PATTERN:
        raise ValueError(f"Write a pattern of at most {LONGEST_PATTERN} characters.")
    try:
        _compiled(value)
    except re2.error as error:
        raise ValueError(f"This is not a valid RE2 pattern: {_explanation(error)}.") from error


def _explanation(error: Exception) -> str:
    text = error.args[0] if error.args else ""
    return text.decode(errors="replace") if isinstance(text, bytes) else str(text)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    """RE2's time is linear in the length of the text, whatever the pattern (docs/adr/0028)."""
    options = re2.Options()
    options.max_mem, options.log_errors = PATTERN_MEMORY, False
    return re2.compile(pattern, options)


def holds(path: str, operator: str, wanted: Any, facts: Facts) -> bool:
    """Whether a condition holds for an event.

    Raises:
        OutOfTime: a dry run has used up its time.
    """
    time_budget.look_at_the_clock()
    found = find(path, facts)
    match operator:
        case Operator.EXISTS:
            return bool(found) is bool(wanted)
        case Operator.NOT_EQUALS:
            return not any(_equal(value, wanted) for value in found)
    return any(_compares(operator, value, wanted) for value in found)


def _compares(operator: str, found: Any, wanted: Any) -> bool:
    match operator:
        case Operator.EQUALS:
            return _equal(found, wanted)
        case Operator.IN:
            return any(_equal(found, each) for each in wanted)
        case Operator.CONTAINS:
            return _contains(found, wanted)
        case Operator.STARTS_WITH:
            return isinstance(found, str) and found.startswith(wanted)
        case Operator.GREATER:
            return _order(found, wanted) == 1
        case Operator.LESS:
            return _order(found, wanted) == -1
        case Operator.MATCHES:
            return isinstance(found, str) and _compiled(wanted).search(found) is not None
    raise ValueError(f"unknown operator {operator}")


def _contains(found: Any, wanted: Any) -> bool:
    if isinstance(found, str):
        return isinstance(wanted, str) and wanted in found
    if isinstance(found, list):
        return any(_equal(each, wanted) for each in found)
    return isinstance(found, dict) and isinstance(wanted, str) and wanted in found


def _equal(found: Any, wanted: Any) -> bool:
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    numbers = _numbers(found, wanted)
    return numbers[0] == numbers[1] if numbers else bool(found == wanted)


def _order(found: Any, wanted: Any) -> int | None:
    """-1, 0 or 1; ``None`` if the two cannot be compared."""
    pair: Any = _numbers(found, wanted)
    if pair is None and isinstance(found, str) and isinstance(wanted, str):
        pair = _instants(found, wanted) or (found, wanted)
    return (pair[0] > pair[1]) - (pair[0] < pair[1]) if pair else None


def _numbers(found: Any, wanted: Any) -> tuple[Decimal, Decimal] | None:
    """Both as numbers, if at least one is a number and the other can be read as one."""
    if not (_is_number(found) or _is_number(wanted)):
        return None
    one, other = _number(found), _number(wanted)
    return None if one is None or other is None else (one, other)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any) -> Decimal | None:
    if _is_number(value):
        return Decimal(str(value))
    return Decimal(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else None


def _instants(found: str, wanted: str) -> tuple[datetime, datetime] | None:
    try:
        one, other = datetime.fromisoformat(found), datetime.fromisoformat(wanted)
    except ValueError:
        return None
    return (one, other) if one.tzinfo and other.tzinfo else None
