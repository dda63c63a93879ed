"""Drops the oldest entries of channels, for organizations that do not keep them for ever.

Only a channel's first entries are dropped, so what is kept has no gap, and its first sequence says what is gone. Events
themselves stay.
"""

from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from wedsync.weddings.models import Organization

BATCH = 1_000  # entries in one statement

# The first entry of a channel tells whether there is anything to drop.
_CHANNELS = """
SELECT channel.id FROM live_channel channel CROSS JOIN LATERAL (
    SELECT written_at FROM live_channelentry WHERE channel_id = channel.id ORDER BY sequence LIMIT 1
) AS oldest
WHERE channel.organization_id = %s AND oldest.written_at < %s
"""
# A statement's time may be earlier than that of the entry before it: then both stay.
_DROP = """
WITH oldest AS (
    SELECT id, sequence, written_at FROM live_channelentry WHERE channel_id = %s ORDER BY sequence LIMIT %s
)
DELETE FROM live_channelentry USING oldest
WHERE live_channelentry.id = oldest.id
    AND oldest.sequence < coalesce((SELECT min(sequence) FROM oldest WHERE written_at >= %s), oldest.sequence + 1)
"""


def prune() -> int:
    """Drop the entries that each organization no longer keeps; returns how many. Each step is its own transaction."""
    keeping = Organization.objects.exclude(live_log_days=None).values_list("id", "live_log_days")
    return sum(_prune(organization_id, days) for organization_id, days in keeping if days)


def _prune(organization_id: UUID, days: int) -> int:
    before = timezone.now() - timedelta(days=days)
    with connection.cursor() as cursor:
        cursor.execute(_CHANNELS, [organization_id, before])
        channels = [channel_id for (channel_id,) in cursor.fetchall()]
        gone = 0
        for channel_id in channels:
            dropped = BATCH
            while dropped == BATCH:
                cursor.execute(_DROP, [channel_id, BATCH, before])
                dropped = cursor.rowcount
                gone += dropped
    return gone
