"""How a wedding's fields change: only by newer facts, each in one conditional write.

docs/architecture.md, "Routing".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection

from wedsync.strict_json import is_storable
from wedsync.weddings.models import Wedding

Value = date | time | int | str
FIRST_YEAR, LAST_YEAR = 2000, 2200


class Outcome(StrEnum):
    """What became of one proposed value."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    STALE = "stale"


@dataclass(frozen=True)
class Change:
    """One field's proposed value and what became of it; values as ISO text or numbers, ready for a payload."""

    field: str
    before: str | int | None
    after: str | int | None
    outcome: Outcome


def _whole_number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 100_000:
        raise ValueError("must be a whole number from 0 to 100000")
    return value


def _date(value: object) -> date:
    try:
        found = date.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError("must be a date such as 2027-06-20") from error
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ValueError(f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
    return found


def _time(value: object) -> time:
    try:
        found = time.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError("must be a local time such as 16:00") from error
    if found.tzinfo is not None:
        raise ValueError("must be a local time of the venue, without an offset")
    return found.replace(second=0, microsecond=0)


def _name(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > 200 or not is_storable(text):
        raise ValueError("must be a text of 1 to 200 characters")
    return text


CHANGEABLE: dict[str, Callable[[object], Value]] = {
    "date": _date,
    "ceremony_time": _time,
    "reception_time": _time,
    "reception_end": _time,
    "venue_name": _name,
    "guest_count": _whole_number,
    "capacity": _whole_number,
}

# The newest fact wins, decided by PostgreSQL in one statement; the time of an equal value is noted all the same. What
# our own people decide counts as newer than whatever a vendor's fast clock said. NO KEY, because the receiver's foreign
# keys to the wedding must not wait for a change.
_WRITE = """
WITH known AS (
    SELECT id, {column} AS before, coalesce((field_changed_at->>%(field)s)::timestamptz, '-infinity') AS changed_at
    FROM weddings_wedding WHERE id = %(wedding)s FOR NO KEY UPDATE
), written AS (
    UPDATE weddings_wedding SET {column} = %(value)s, field_changed_at = field_changed_at || jsonb_build_object(
        %(field)s::text, greatest(%(at)s::timestamptz, known.changed_at + interval '1 microsecond'))
    FROM known WHERE weddings_wedding.id = known.id AND (%(own)s OR known.changed_at < %(at)s::timestamptz)
    RETURNING weddings_wedding.id
)
SELECT known.before, EXISTS (SELECT 1 FROM written) FROM known
"""


def parse(field: str, value: object) -> Value:
    """A value of a changeable field from its JSON form.

    Raises:
        ValueError: no such field, or a value that it cannot hold; the message fits behind the field's name.
    """
    if field not in CHANGEABLE:
        raise ValueError(f"is not a field that can be changed; those are {', '.join(CHANGEABLE)}")
    return CHANGEABLE[field](value)


def as_json(value: Value | None) -> str | int | None:
    """A field's value as it stands in payloads: times as ``16:00``, dates as ``2027-06-20``."""
    if isinstance(value, time):
        return value.strftime("%H:%M")
    return value.isoformat() if isinstance(value, date) else value


def apply(wedding_id: UUID, values: Mapping[str, Value], occurred_at: datetime, *, own: bool = False) -> list[Change]:
    """Write each value that is newer than what is known, and say what became of it. Needs an open transaction.

    ``own``: our own people say so, now.
    """
    return [_apply_one(wedding_id, field, value, occurred_at, own=own) for field, value in values.items()]


def _apply_one(wedding_id: UUID, field: str, value: Value, occurred_at: datetime, *, own: bool) -> Change:
    if field not in CHANGEABLE:
        raise ValueError(f"{field} is not a field that can be changed")
    values: Any = {"wedding": wedding_id, "field": field, "value": value, "at": occurred_at.isoformat(), "own": own}
    with connection.cursor() as cursor:
        cursor.execute(_WRITE.format(column=connection.ops.quote_name(field)), values)
        row = cursor.fetchone()
    if row is None:
        raise Wedding.DoesNotExist(f"no wedding {wedding_id}")
    before, written = row
    changed = Outcome.APPLIED if written else Outcome.STALE
    outcome = Outcome.UNCHANGED if before == value else changed
    return Change(field, as_json(before), as_json(value), outcome)
