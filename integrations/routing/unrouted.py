"""Events that have not been routed, hinted again.

In each queue those that were never hinted come first, so that none starves the others; urgent events are hinted in
each round. An index has exactly this order and holds only waiting events.
"""

from typing import Any

from django.conf import settings
from django.db import connection, transaction

from integrations.deliveries.hint_marks import BATCH, Mark, open_queues, send_or_unmark
from wedsync.live.fan_out.hints import RouteHint, TaskHint

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
) AS chosen
WHERE event.id = chosen.id
RETURNING event.id, event.hinted_at, chosen.hinted_at, event.priority
"""
UNMARK = """
UPDATE live_channelevent AS event SET hinted_at = mark.before
FROM unnest(%(ids)s::uuid[], %(marks)s::timestamptz[], %(before)s::timestamptz[]) AS mark(id, made, before)
WHERE event.id = mark.id AND event.hinted_at = mark.made
"""


def values() -> dict[str, Any]:
    """The values for :data:`TAKE`."""
    return {
        "queues": open_queues(),
        "again": settings.SWEEP_AGAIN_SECONDS,
        "overdue": settings.SWEEP_OVERDUE_SECONDS,
        "batch": BATCH,
    }


def hint_events() -> int:
    """Have waiting events routed, at most 200 of each queue; returns how many."""
    given = values()
    if not given["queues"]:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(TAKE, given)
        chosen = cursor.fetchall()
    marks: dict[TaskHint, Mark] = {
        RouteHint(str(event_id), priority): Mark(event_id, made, before) for event_id, made, before, priority in chosen
    }
    return send_or_unmark(marks, UNMARK)
