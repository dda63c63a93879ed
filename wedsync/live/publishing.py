"""Publishing from inside WedSync: the same commit as a webhook's, without the receipt."""

from collections.abc import Sequence

from wedsync.live import hints
from wedsync.live.log import NewEvent, append
from wedsync.live.models import ChannelEvent


def publish(new_events: Sequence[NewEvent]) -> list[ChannelEvent]:
    """Store events within the caller's transaction and wake everyone after its commit."""
    events = append(new_events)
    for event, new in zip(events, new_events, strict=True):
        hints.event_stored(event, new.channels)
    return events
