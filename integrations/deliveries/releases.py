"""Releasing what was held for a connection or system that has been resumed.

Resuming itself releases it; a worker or the receiver may have raced with that. Each round looks at every active
connection and system by an index of held rows, so that rows that stay held are never read, however many they are.
"""

from django.db import connection

from wedsync.database.batches import BATCH
from wedsync.queues import Priority

# An array, since PostgreSQL may plan a join of a thousand rows as a scan of the whole table.
EVENTS = """
UPDATE live_channelevent SET routing = 'pending'
WHERE id = ANY(ARRAY(
    SELECT held.id FROM integrations_connection AS door, LATERAL (
        SELECT id FROM live_channelevent
        WHERE routing = 'held' AND source_connection_id = door.id AND priority = ANY(%(priorities)s)
        LIMIT %(batch)s FOR NO KEY UPDATE SKIP LOCKED
    ) AS held
    WHERE door.state = 'active' LIMIT %(batch)s
))
"""
# Deliveries to a system that has since been disabled must end; the worker that claims one ends it.
DELIVERIES = """
UPDATE integrations_delivery SET next_attempt_at = now()
WHERE id = ANY(ARRAY(
    SELECT held.id FROM integrations_system AS system, LATERAL (
        SELECT id FROM integrations_delivery
        WHERE state = 'held' AND state_reason = 'system_paused' AND system_id = system.id AND next_attempt_at > now()
        ORDER BY next_attempt_at LIMIT %(batch)s FOR NO KEY UPDATE SKIP LOCKED
    ) AS held
    WHERE system.state <> 'paused' LIMIT %(batch)s
))
"""


def release_held(*, batches: int) -> None:
    """Release at most this number of batches of urgent events, other events and deliveries; the next continues."""
    urgent, others = [Priority.URGENT.value], [each for each in Priority.values if each != Priority.URGENT]
    for statement, priorities in ((EVENTS, urgent), (EVENTS, others), (DELIVERIES, [])):
        for _ in range(batches):
            with connection.cursor() as cursor:
                cursor.execute(statement, {"batch": BATCH, "priorities": priorities})
                if cursor.rowcount < BATCH:
                    break
