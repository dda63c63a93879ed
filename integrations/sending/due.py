"""Finds due deliveries that no message carries, a few of each target at a time.

A worker that is woken for a target continues with whatever else is due for it, so a target with ten thousand waiting
deliveries needs no more messages than its limit of calls, and none while it is at this limit.
"""

from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from integrations.admission.lanes import CALL_LIMIT
from integrations.deliveries.claims import LEAST_PRECEDENCE, URGENT_PRECEDENCE
from integrations.deliveries.hint_marks import BATCH, Mark, open_queues, send_or_unmark
from wedsync.live.fan_out import hints

# In random order: if there is more than a batch, the same systems would otherwise come first each time.
_LANES = """
SELECT due.system_id, coalesce(system.call_limit, %(call_limit)s) - coalesce(flying.calls, 0), head.precedence
FROM (
    SELECT system_id FROM integrations_delivery
    WHERE state IN ('pending', 'scheduled', 'held') AND next_attempt_at <= now() + %(ahead)s * interval '1 second'
    GROUP BY system_id
) AS due
JOIN integrations_system AS system ON system.id = due.system_id
LEFT JOIN (
    SELECT system_id, count(*) FILTER (WHERE precedence > %(urgent)s) AS calls
    FROM integrations_delivery WHERE state = 'in_flight' GROUP BY system_id
) AS flying ON flying.system_id = due.system_id
LEFT JOIN (
    SELECT system_id, min(precedence) AS precedence FROM integrations_delivery
    WHERE state = 'held' AND state_reason = 'rate_limited' AND next_attempt_at > now()
    GROUP BY system_id
) AS head ON head.system_id = due.system_id
ORDER BY random()
"""

# No message carries held deliveries, or those past the quick retries; the rest should have a message, which gets some
# seconds. A hinted row is hinted again when it has become due again, or after a while; an urgent one in each round.
_CHOOSE = """
UPDATE integrations_delivery AS delivery SET hinted_at = now()
FROM (
    SELECT picked.* FROM unnest(%(systems)s::uuid[], %(room)s::int[], %(most)s::int[]) AS lane(system_id, room, most),
    LATERAL (
        SELECT id, hinted_at FROM integrations_delivery
        WHERE system_id = lane.system_id AND precedence <= lane.most AND priority = ANY(%(queues)s)
            AND state IN ('pending', 'scheduled', 'held')
            AND next_attempt_at <= now() + %(ahead)s * interval '1 second'
            AND (state = 'held' OR attempt_count > %(quick)s
                OR next_attempt_at < now() - %(overdue)s * interval '1 second')
            AND (hinted_at IS NULL OR hinted_at < next_attempt_at - %(ahead)s * interval '1 second'
                OR hinted_at < now() - %(again)s * interval '1 second' OR priority = 'urgent')
        ORDER BY precedence, next_attempt_at
        LIMIT lane.room
        FOR UPDATE SKIP LOCKED
    ) AS picked
    LIMIT %(batch)s
) AS chosen
WHERE delivery.id = chosen.id
RETURNING chosen.hinted_at, delivery.hinted_at, delivery.id, delivery.priority, delivery.system_id,
    delivery.attempt_count,
    greatest(0, extract(epoch FROM delivery.next_attempt_at - now()))
"""


class _Lane(NamedTuple):
    system_id: UUID
    room: int  # further calls that the target accepts, besides urgent ones
    head: int | None  # the precedence of the delivery that waits for the target's next token

    @property
    def most(self) -> int:
        """The last precedence for which a worker is woken.

        A target at its limit of calls is left to the threads that end one, but urgent deliveries have slots of their
        own. If a target's rate is used up, only deliveries more urgent than the one that waits are worth a try.
        """
        most = LEAST_PRECEDENCE if self.room > 0 else URGENT_PRECEDENCE
        return most if self.head is None else min(most, self.head - 1)


_UNMARK = """
UPDATE integrations_delivery AS delivery SET hinted_at = mark.before
FROM unnest(%(ids)s::uuid[], %(marks)s::timestamptz[], %(before)s::timestamptz[]) AS mark(id, made, before)
WHERE delivery.id = mark.id AND delivery.hinted_at = mark.made
"""


def hint_deliveries() -> int:
    """Wake workers for deliveries due by the next tick, each at its time; returns for how many deliveries."""
    ahead = settings.SWEEP_SECONDS
    queues = open_queues()
    if not queues:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_LANES, {"ahead": ahead, "call_limit": CALL_LIMIT, "urgent": URGENT_PRECEDENCE})
        lanes = [_Lane(*row) for row in cursor.fetchall()]
    if not lanes:
        return 0
    quick = len(settings.RETRY_QUICK_SECONDS)
    values: dict[str, Any] = {
        "systems": [lane.system_id for lane in lanes],
        "room": [lane.room if lane.room > 0 else CALL_LIMIT for lane in lanes],
        "most": [lane.most for lane in lanes],
        "queues": queues,
        "ahead": ahead,
        "overdue": settings.SWEEP_OVERDUE_SECONDS,
        "again": settings.SWEEP_AGAIN_SECONDS,
        "quick": quick,
        "batch": BATCH,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CHOOSE, values)
        chosen = cursor.fetchall()
    marks: dict[hints.TaskHint, Mark] = {}
    for before, made, delivery_id, priority, system_id, attempts, countdown in chosen:
        hint = hints.DeliveryHint(str(delivery_id), priority, str(system_id), min(attempts, quick), float(countdown))
        marks[hint] = Mark(delivery_id, made, before)
    return send_or_unmark(marks, _UNMARK)
