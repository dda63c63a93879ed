"""Changes a wedding's fields: only by newer facts, each in one conditional write.

docs/architecture.md, "Routing".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection

from wedsync.weddings.fields import CHANGEABLE, Value, as_json
from wedsync.weddings.models import Wedding


class ChangeResult(StrEnum):
    """The result of one proposed value."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    STALE = "stale"


@dataclass(frozen=True)
class FieldChange:
    """One field's proposed value and its result; values as ISO text or numbers, ready for a payload."""

    field: str
    before: str | int | None
    after: str | int | None
    outcome: ChangeResult


# The newest fact wins, decided by PostgreSQL in one statement; the time of an equal value is stored as well. What our
# own people decide counts as newer than anything from a vendor's fast clock. NO KEY, because the receiver's foreign
# keys to the wedding must not wait for a change.
#
# Clocks differ. For each field, ``field_changed_at`` has the time that counts against everyone (the earlier of the
# sender's time and the time of arrival), and under ``<field>@systems`` who said it and each system's own latest time,
# which decides among that system's events (docs/adr/0069).
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
    """When a value was given, and by whom.

    ``occurred_at``: by the sender's clock. ``received_at``: by ours; ``None``: it comes from WedSync. ``system_id``:
    the system that gave it. ``own``: our own people gave it, now.
    """

    occurred_at: datetime
    received_at: datetime | None = None
    system_id: UUID | None = None
    own: bool = False

    @property
    def counts_at(self) -> datetime:
        """The time that counts against other senders: a fast clock makes nothing newer than it is."""
        return min(self.occurred_at, self.received_at or self.occurred_at)


def apply(wedding_id: UUID, values: Mapping[str, Value], said: Said) -> list[FieldChange]:
    """Write each value that is newer than what is known; returns the results. Needs an open transaction."""
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
