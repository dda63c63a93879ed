"""Publishes from inside WedSync: the same commit as a webhook's, without the receipt."""

from collections.abc import Sequence

from wedsync.live.fan_out import hints
from wedsync.live.log.writer import NewEvent, Place, append
from wedsync.live.models import ChannelEvent


def publish(new_events: Sequence[NewEvent], also: Sequence[Place] = ()) -> list[ChannelEvent]:
    """Store events in the caller's transaction, and wake routing and sockets after its commit; see :func:`append`."""
    events = append(new_events, also)
    for event, new in zip(events, new_events, strict=True):
        hints.event_stored(event, new.channels)
    for event, name in also:
        hints.entries_added(event.organization_id, [name])
    return events
