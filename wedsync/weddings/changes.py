"""How a wedding's fields change: only by newer facts, each in one conditional write.

docs/architecture.md, "Routing".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection

from wedsync.weddings.models import Wedding
from wedsync.wire.strict_json import is_storable
from wedsync.wire.written_times import read_clock, read_date

Value = date | time | int | str
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN_WORDS = re.compile(r"[\s_.-]+")


class ChangeResult(StrEnum):
    """What became of one proposed value."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    STALE = "stale"


@dataclass(frozen=True)
class FieldChange:
    """One field's proposed value and what became of it; values as ISO text or numbers, ready for a payload."""

    field: str
    before: str | int | None
    after: str | int | None
    outcome: ChangeResult


def _whole_number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 100_000:
        raise ValueError("must be a whole number from 0 to 100000")
    return value


def _name(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > 200 or not is_storable(text):
        raise ValueError("must be a text of 1 to 200 characters")
    return text


CHANGEABLE: dict[str, Callable[[object], Value]] = {
    "date": read_date,
    "ceremony_time": read_clock,
    "reception_time": read_clock,
    "reception_end": read_clock,
    "venue_name": _name,
    "guest_count": _whole_number,
    "capacity": _whole_number,
}

CLOCKS = frozenset(field for field, read in CHANGEABLE.items() if read is read_clock)

# The newest fact wins, decided by PostgreSQL in one statement; the time of an equal value is noted all the same. What
# our own people decide counts as newer than whatever a vendor's fast clock said. NO KEY, because the receiver's foreign
# keys to the wedding must not wait for a change.
#
# Clocks differ. ``field_changed_at`` has for each field the time that counts against everyone (the earlier of what the
# sender says and of when it came), and under ``<field>@systems`` who said it, and the newest time by each system's own
# clock, which decides among the events of that system (docs/adr/0069).
_WRITE = """
WITH known AS (
    SELECT id, {column} AS before, coalesce((field_changed_at->>%(field)s)::timestamptz, '-infinity') AS changed_at,
        field_changed_at->%(field)s AS counted, coalesce(field_changed_at->%(systems)s, '{{}}'::jsonb) AS said
    FROM weddings_wedding WHERE id = %(wedding)s FOR NO KEY UPDATE
), judged AS (
    SELECT *, greatest(%(at)s::timestamptz, changed_at + interval '1 microsecond') AS counts_from,
        %(own)s OR coalesce((said->'times'->>%(system)s)::timestamptz, '-infinity') < %(occurred_at)s::timestamptz
            AND (changed_at < %(at)s::timestamptz
                OR %(system)s <> '' AND said->>'last' = %(system)s AND said->'at' = counted) AS is_newer
    FROM known
), written AS (
    UPDATE weddings_wedding SET {column} = %(value)s, field_changed_at = field_changed_at || jsonb_build_object(
        %(field)s::text, judged.counts_from, %(systems)s::text, jsonb_build_object(
            'last', %(system)s::text, 'at', judged.counts_from, 'times', coalesce(judged.said->'times', '{{}}'::jsonb)
                || CASE WHEN %(system)s = '' THEN '{{}}'::jsonb
                   ELSE jsonb_build_object(%(system)s::text, %(occurred_at)s::timestamptz) END))
    FROM judged WHERE weddings_wedding.id = judged.id AND judged.is_newer
    RETURNING weddings_wedding.id
)
SELECT known.before, EXISTS (SELECT 1 FROM written) FROM known
"""


@dataclass(frozen=True)
class Said:
    """When a value was said, and by whom.

    ``occurred_at``: by the sender's clock. ``received_at``: by ours; ``None``: we say it ourselves. ``system_id``: the
    system that says it. ``own``: our own people say so, now.
    """

    occurred_at: datetime
    received_at: datetime | None = None
    system_id: UUID | None = None
    own: bool = False

    @property
    def counts_at(self) -> datetime:
        """The time that counts against what others say: a clock that is ahead makes nothing newer than it is."""
        return min(self.occurred_at, self.received_at or self.occurred_at)


def parse(field: str, value: object, of: Wedding | None = None) -> Value:
    """A value of a changeable field from its JSON form.

    Arguments:
        of: the wedding, in whose zone a time with an offset is read; ``None``: it is not known yet, and the answer only
            says that the value can be read.

    Raises:
        ValueError: no such field, or a value that it cannot hold; the message fits behind the field's name.
    """
    if field not in CHANGEABLE:
        raise ValueError(f"is not a field that can be changed; those are {', '.join(CHANGEABLE)}")
    if field in CLOCKS and of is not None:
        return read_clock(value, of.zone, of.date)
    return CHANGEABLE[field](value)


def field_named(name: str) -> str:
    """The wedding's field that somebody names in a spelling of their own (``ceremonyTime``, ``Ceremony time``).

    A name that means none of its fields is returned as it is.
    """
    if name in CHANGEABLE:
        return name
    spelled = _HUMP.sub("_", name.strip())
    plain = _BETWEEN_WORDS.sub("_", spelled).casefold().strip("_")
    return plain if plain in CHANGEABLE else name


def as_json(value: Value | None) -> str | int | None:
    """A field's value as it stands in payloads: times as ``16:00``, dates as ``2027-06-20``."""
    if isinstance(value, time):
        return value.strftime("%H:%M")
    return value.isoformat() if isinstance(value, date) else value


def apply(wedding_id: UUID, values: Mapping[str, Value], said: Said) -> list[FieldChange]:
    """Write each value that is newer than what is known, and say what became of it. Needs an open transaction."""
    return [_apply_one(wedding_id, field, value, said) for field, value in values.items()]


def _apply_one(wedding_id: UUID, field: str, value: Value, said: Said) -> FieldChange:
    if field not in CHANGEABLE:
        raise ValueError(f"{field} is not a field that can be changed")
    values: Any = {
        "wedding": wedding_id,
        "field": field,
        "systems": f"{field}@systems",
        "value": value,
        "at": said.counts_at.isoformat(),
        "occurred_at": said.occurred_at.isoformat(),
        "system": str(said.system_id or ""),
        "own": said.own,
    }
    with connection.cursor() as cursor:
        cursor.execute(_WRITE.format(column=connection.ops.quote_name(field)), values)
        row = cursor.fetchone()
    if row is None:
        raise Wedding.DoesNotExist(f"no wedding {wedding_id}")
    before, written = row
    changed = ChangeResult.APPLIED if written else ChangeResult.STALE
    outcome = ChangeResult.UNCHANGED if before == value else changed
    return FieldChange(field, as_json(before), as_json(value), outcome)
