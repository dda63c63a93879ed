"""Events that nobody routed, asked for again.

Of each queue those that were never hinted come first, so that none starves the others; what is urgent is asked for in
each round. An index holds exactly this order, of the events that wait and no others.
"""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from integrations.due import BATCH, open_queues
from wedsync.live import hints
from wedsync.live.hints import RouteHint

TAKE = """
UPDATE live_channelevent AS event SET hinted_at = now()
FROM (
    SELECT picked.* FROM unnest(%(queues)s::varchar[]) AS queue(priority), LATERAL (
        SELECT id, hinted_at FROM live_channelevent
        WHERE routing = 'pending' AND priority = queue.priority
            AND coalesce(hinted_at, '-infinity'::timestamptz)
                <= now() - CASE WHEN queue.priority = 'urgent' THEN 0 ELSE %(again)s END * interval '1 second'
            AND received_at < now() - %(overdue)s * interval '1 second'
        ORDER BY coalesce(hinted_at, '-infinity'::timestamptz), id
        LIMIT %(batch)s
        FOR UPDATE SKIP LOCKED
    ) AS picked
) AS taken
WHERE event.id = taken.id
RETURNING event.id, event.hinted_at, taken.hinted_at, event.priority
"""
UNMARK = """
UPDATE live_channelevent AS event SET hinted_at = mark.before
FROM unnest(%(ids)s::uuid[], %(marks)s::timestamptz[], %(before)s::timestamptz[]) AS mark(id, made, before)
WHERE event.id = mark.id AND event.hinted_at = mark.made
"""


class _Mark(NamedTuple):
    """When a row was hinted, and when before that."""

    id: UUID
    made: datetime
    before: datetime | None


def values() -> dict[str, Any]:
    """What :data:`TAKE` is run with."""
    return {
        "queues": open_queues(),
        "again": settings.SWEEP_AGAIN_SECONDS,
        "overdue": settings.SWEEP_OVERDUE_SECONDS,
        "batch": BATCH,
    }


def hint_events() -> int:
    """Have events routed that wait for it, at most 200 of each queue; returns how many.

    What did not leave is not marked: the next round, of this sweep or another, takes it again at once.
    """
    given = values()
    if not given["queues"]:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(TAKE, given)
        taken = cursor.fetchall()
    marks: dict[hints.TaskHint, _Mark] = {
        RouteHint(str(event_id), priority): _Mark(event_id, made, before) for event_id, made, before, priority in taken
    }
    unsent = [marks[hint] for hint in hints.send_now(list(marks))]
    if unsent:
        ids, made_at, earlier = zip(*unsent, strict=True)
        with connection.cursor() as cursor:
            cursor.execute(UNMARK, {"ids": list(ids), "marks": list(made_at), "before": list(earlier)})
    return len(taken) - len(unsent)
