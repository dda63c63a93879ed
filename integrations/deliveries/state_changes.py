"""The only way a delivery changes its state: a conditional write along the allowed transitions."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet
from django.db.models.functions import Now

from integrations.models import Delivery
from integrations.states import FINISHED, Outcome, Reason, State, sources_of
from wedsync.database.batches import update_all
from wedsync.database.prepared import Prepared
from wedsync.ids import new_id


def change(rows: QuerySet[Delivery], to: State, reason: Reason = Reason.NONE, **fields: Any) -> int:
    """Change those rows whose state may become ``to``; returns how many. ``fields``: columns to write with it.

    A row that leaves ``in_flight`` gives up its lease; a finished one notes the time.
    """
    return rows.filter(state__in=sources_of(to)).update(**_written(to, reason, fields))


def change_unlocked(
    rows: QuerySet[Delivery], to: State, reason: Reason, *, batches: int | None = None, **fields: Any
) -> int:
    """:func:`change` for all that waits for a target, which others may be changing at the same moment.

    Rows that others have locked are left to them, and no statement changes more than a thousand rows.

    Arguments:
        rows: a filter that a changed row no longer meets.
        batches: how many at most; ``None``: until no row is left.
    """
    return update_all(rows.filter(state__in=sources_of(to)), batches=batches, **_written(to, reason, fields))


def _written(to: State, reason: Reason, fields: dict[str, Any]) -> dict[str, Any]:
    written = {"state": to, "state_reason": reason, **fields}
    if to != State.IN_FLIGHT:
        written = {"lease_token": None, "lease_until": None, "has_turn": False, **written}
    if to in FINISHED:
        written["finished_at"] = Now()
    return written


def release(row: QuerySet[Delivery], to: State, reason: Reason, **fields: Any) -> int:
    """Change a claimed row without an attempt: the attempt that the claim counted is subtracted again."""
    return change(row, to, reason, attempt_count=F("attempt_count") - 1, **fields)


def due_in(seconds: float) -> Any:
    """A due time, on PostgreSQL's clock."""
    return Now() + timedelta(seconds=seconds)


_FREEZE = Prepared(
    "freeze_request",
    """
    UPDATE integrations_delivery SET request = %(request)s
    WHERE id = %(id)s AND lease_token = %(token)s AND state = 'in_flight'
    """,
    {"request": "jsonb", "id": "uuid", "token": "uuid"},
)


def freeze(delivery_id: UUID, token: UUID, request: dict[str, Any]) -> bool:
    """Keep the bytes of the first attempt; false if the lease was lost."""
    frozen, _ = _FREEZE.run({"request": json.dumps(request), "id": delivery_id, "token": token})
    return bool(frozen)


@dataclass(frozen=True)
class Ending:
    """The end of an attempt: the next state, and the attempt's row.

    Arguments:
        attempt: the id of the attempt's row.
        due_in: seconds until the delivery is due again, for ``scheduled`` and ``held``; ``None``: never by itself.
        may_duplicate: whether a further try may arrive as a duplicate.
    """

    to: State
    reason: Reason
    started_at: datetime
    milliseconds: int
    outcome: Outcome
    due_in: float | None = None
    may_duplicate: bool = False
    status_code: int | None = None
    error_class: str = ""
    error: str = ""
    response_excerpt: str = ""
    attempt: UUID = field(default_factory=new_id)


@dataclass(frozen=True)
class Ended:
    """Whether the attempt was written, and the precedence of the next delivery due for the same system, if any."""

    written: bool
    next_precedence: int | None


# One statement, so that the state and the attempt are one commit. A lost lease writes neither.
_END = Prepared(
    "end_attempt",
    """
    WITH moved AS (
        UPDATE integrations_delivery
        SET state = %(to)s, state_reason = %(reason)s, lease_token = NULL, lease_until = NULL, has_turn = false,
            next_attempt_at = CASE
                WHEN %(finished)s THEN next_attempt_at
                WHEN %(due_in)s IS NULL THEN expires_at
                ELSE now() + %(due_in)s * interval '1 second'
            END,
            due_since = CASE
                WHEN %(to)s = 'scheduled' THEN now() + %(due_in)s * interval '1 second'
                ELSE due_since
            END,
            may_duplicate = may_duplicate OR %(may_duplicate)s,
            finished_at = CASE WHEN %(finished)s THEN now() END
        WHERE id = %(id)s AND lease_token = %(token)s AND state = ANY(%(sources)s)
        RETURNING id, attempt_count
    ), noted AS (
        INSERT INTO integrations_attempt (
            id, delivery_id, number, started_at, milliseconds, outcome, status_code, error_class, error,
            response_excerpt
        )
        SELECT %(attempt)s, id, attempt_count, %(started_at)s, %(milliseconds)s, %(outcome)s, %(status_code)s,
            %(error_class)s, %(error)s, %(response_excerpt)s
        FROM moved
    )
    SELECT EXISTS (SELECT FROM moved) OR EXISTS (SELECT FROM integrations_attempt WHERE id = %(attempt)s), (
        SELECT precedence FROM integrations_delivery
        WHERE system_id = %(system)s AND state IN ('pending', 'scheduled', 'held') AND next_attempt_at <= now()
            AND expires_at > now()
        ORDER BY precedence, next_attempt_at
        LIMIT 1
    )
    """,
    {
        "to": "varchar",
        "reason": "varchar",
        "finished": "bool",
        "due_in": "float8",
        "may_duplicate": "bool",
        "id": "uuid",
        "token": "uuid",
        "sources": "varchar[]",
        "attempt": "uuid",
        "started_at": "timestamptz",
        "milliseconds": "int",
        "outcome": "varchar",
        "status_code": "int",
        "error_class": "varchar",
        "error": "varchar",
        "response_excerpt": "varchar",
        "system": "uuid",
    },
)


def record_attempt(delivery: Delivery, token: UUID, ending: Ending) -> Ended:
    """Write the attempt and the next state in one commit; nothing if the lease was lost.

    Raises:
        OperationalError: PostgreSQL is away. Call it again with the same ending; that is safe even if PostgreSQL had
            committed it and only the answer was lost.
    """
    values = {
        **vars(ending),
        "id": delivery.id,
        "token": token,
        "system": delivery.system_id,
        "finished": ending.to in FINISHED,
        "sources": [state.value for state in sources_of(ending.to)],
        "to": ending.to.value,
        "reason": str(ending.reason),
        "outcome": ending.outcome.value,
    }
    _, found = _END.run(values)
    written, following = found or (False, None)
    return Ended(written, following)
