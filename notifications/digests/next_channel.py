"""A digest that cannot be delivered on its channel is sent whole on the next: its events have no other message."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from integrations.deliveries.rows import planned_row
from integrations.models import Delivery
from integrations.registry.targets import PlannedDelivery
from integrations.states import State
from notifications.digests import windows
from notifications.models import Message, Window
from notifications.recipients import resolving
from notifications.rules import policy
from notifications.trace import recording
from notifications.trace.recording import What
from wedsync.live.fan_out import hints
from wedsync.queues import Priority
from wedsync.weddings.models import Contact, ContactChannel


@transaction.atomic
def go_on(delivery: Delivery) -> Delivery | None:
    """Send a failed digest on the person's next channel, once; ``None``: not a failed digest, or no channel is left."""
    window_id = windows.digest_window(delivery)
    if window_id is None or delivery.contact is None:
        return None
    window = Window.objects.select_for_update(no_key=True).filter(id=window_id).first()
    tried = [row for row in _of_event(delivery) if windows.digest_window(row) == window_id]
    deciding = [row for row in tried if row.channel not in policy.UNPROVEN] or tried
    if window is None or not tried or not all(_has_failed(row) for row in deciding):
        return None
    planned = _next(delivery.contact, delivery, {row.channel for row in tried})
    if planned is None:  # the trace already says that it failed, and this may run every second
        return None
    step = len({row.channel for row in tried})
    key = Delivery.key(window_id, windows.DIGEST_KEY, planned.target, planned.channel, plan_step=step)
    made = planned_row(delivery.event, key, planned, Priority.LOW, plan_step=step)
    made.save(force_insert=True)
    window.delivery = made
    window.save(update_fields=["delivery"])
    recording.note(
        made, What.FELL_BACK, f"the digest could not be delivered; now by {ContactChannel(planned.channel).label}"
    )
    if made.state == State.PENDING:
        hints.delivery_due(made.id, made.priority, made.system_id)
    return made


def go_on_all(dead_since: datetime) -> int:
    """Send on the digests whose worker died before it could; returns how many."""
    rows = Window.objects.filter(delivery__state=State.DEAD, delivery__finished_at__gt=dead_since)
    return sum(go_on(_whole(each)) is not None for each in rows.values_list("delivery_id", flat=True)[:100])


def _whole(delivery_id: UUID) -> Delivery:
    return Delivery.objects.select_related("event__wedding", "contact", "system").get(id=delivery_id)


def _of_event(delivery: Delivery) -> list[Delivery]:
    rows = Delivery.objects.filter(event_id=delivery.event_id, contact=delivery.contact)
    return list(rows.select_related("message"))


def _has_failed(row: Delivery) -> bool:
    message: Message | None = getattr(row, "message", None)
    if row.state == State.SUCCEEDED and message:
        return message.came_back
    return row.state in {State.DEAD, State.SKIPPED}


def _next(contact: Contact, delivery: Delivery, used: set[str]) -> PlannedDelivery | None:
    senders = resolving.sending_systems(delivery.organization_id)
    person = resolving.person_of(contact, delivery.event)
    if person is None:
        return None
    points = [point for point in person.points if point.channel in senders and point.channel not in used]
    point = policy.first_open(policy.preferred(person.contact, points))
    return resolving.planned_for(person, point, senders[point.channel], Priority.LOW, timezone.now()) if point else None
