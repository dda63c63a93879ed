"""Rows of new deliveries: their first state, and when they expire."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from integrations.models import Delivery
from integrations.registry import senders
from integrations.registry.targets import PlannedDelivery
from integrations.states import State
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority
from wedsync.weddings.day import reception_end

PEOPLE_AFTER_RECEPTION = timedelta(hours=6)
URGENT_LIFE = timedelta(hours=1)
LONGEST_LIFE = timedelta(days=7)


def planned_row(event: ChannelEvent, key: str, planned: PlannedDelivery, priority: Priority, **fields: Any) -> Delivery:
    """The planned delivery, not yet stored; skipped or held if that was planned. ``fields``: further columns."""
    now = timezone.now()
    row = Delivery(
        organization_id=event.organization_id,
        event=event,
        system=planned.system,
        contact=planned.contact,
        channel=planned.channel,
        target=planned.target,
        dedupe_key=key,
        priority=priority,
        expires_at=expiry(event, planned.channel, priority, now),
        due_since=planned.held_until or now,
        **fields,
    )
    if planned.skipped:
        row.state, row.state_reason, row.finished_at = State.SKIPPED, planned.skipped, now
    elif planned.held_until:
        row.state, row.state_reason, row.next_attempt_at = State.HELD, planned.held_because, planned.held_until
    return row


def expiry(event: ChannelEvent, channel: str, priority: Priority, now: datetime) -> datetime:
    """When a delivery expires. See docs/adr/0018.

    To systems: after 7 days. To people: 6 h after the reception at the latest, urgent ones after 1 h; events after the
    wedding, such as a gallery, keep the 7 days.
    """
    if channel == senders.SYSTEM_CHANNEL:
        return now + LONGEST_LIFE
    if priority == Priority.URGENT:
        return now + URGENT_LIFE
    closing = reception_end(event.wedding) if event.wedding else None
    latest = closing + PEOPLE_AFTER_RECEPTION if closing else now
    return min(latest, now + LONGEST_LIFE) if latest > now else now + LONGEST_LIFE
