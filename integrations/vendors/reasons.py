"""Why a payload breaks its schema, worded for the sender: our field's name and the values it allows.

The values sent are never repeated, only an unknown name, shortened.
"""

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from wedsync.wire.problems import FieldProblem

LONGEST_NAME = 60

# By pydantic's type of the error, else by the type's first word.
# https://docs.pydantic.dev/latest/errors/validation_errors/
_REASONS = {
    "missing": "is missing",
    "extra_forbidden": "is not a known field",
    "string": "must be text",
    "string_too_short": "must not be empty",
    "string_too_long": "may have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "int": "must be a whole number",
    "decimal": "must be a number such as 1200.50",
    "finite_number": "must be a number such as 1200.50",
    "decimal_max_digits": "may have at most {max_digits} digits",
    "decimal_max_places": "may have at most {decimal_places} decimals",
    "decimal_whole_digits": "may have at most {whole_digits} digits before the point",
    "greater_than_equal": "must not be less than {ge}",
    "less_than_equal": "must not be more than {le}",
    "date": "must be a date such as 2027-06-20",
    "datetime": "must be a time such as 2027-06-20T16:00:00+02:00",
    "uuid": "must be a UUID",
    "literal": "must be {expected}",
    "list": "must be a list",
    "too_short": "must have at least {min_length} entry",
    "too_long": "may have at most {max_length} entries",
    "dict": "must be an object",
    "model": "must be an object",
}
# If a field allows one of several types, pydantic names the type after the field.
_ALTERNATIVES = frozenset({"str", "int", "constrained-int", "literal['done']"})


def problems_of(error: ValidationError) -> list[FieldProblem]:
    """Each field once, with its reason; for alternatives, the reasons are joined by “or”."""
    reasons: dict[str, list[str]] = {}
    for each in error.errors(include_url=False, include_input=False):
        reasons.setdefault(_field(each), []).append(_reason(each))
    return [FieldProblem(field, " or ".join(each)) for field, each in reasons.items()]


def _field(error: ErrorDetails) -> str:
    names = [str(name) for name in error["loc"] if name not in _ALTERNATIVES]
    return ".".join(name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…" for name in names) or "payload"


def _reason(error: ErrorDetails) -> str:
    kind = error["type"]
    if kind == "value_error":
        return str(error.get("ctx", {}).get("error", error["msg"]))
    words = _REASONS.get(kind) or _REASONS.get(kind.partition("_")[0])
    return words.format(**error.get("ctx", {})) if words else error["msg"]
