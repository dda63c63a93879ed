"""Creates deliveries to people outside the routing of an event: a plan's further steps, an incident's updates."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from integrations.deliveries.rows import planned_row
from integrations.models import Delivery
from integrations.models.deliveries import STAFF_CALL
from integrations.registry.targets import PlannedDelivery
from integrations.states import State
from notifications.models import Notification, Sending
from notifications.trace import recording
from notifications.trace.recording import What
from wedsync.live.fan_out import hints
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority

AT_ONCE = 0.05  # seconds


@transaction.atomic
def create(
    event: ChannelEvent, deliveries: Iterable[PlannedDelivery], *, plan_step: int, why: str, priority: Priority
) -> list[Delivery]:
    """Create the planned deliveries, each once however often this is called; returns them, new or existing.

    ``why``: a few words for the trace.
    """
    by_key = {
        Delivery.key(event.id, planned.kind, planned.target, planned.channel, plan_step=plan_step): planned
        for planned in deliveries
    }
    rows = [planned_row(event, key, planned, priority, plan_step=plan_step) for key, planned in by_key.items()]
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)
    made = {row.dedupe_key: row for row in Delivery.objects.filter(dedupe_key__in=list(by_key))}
    for key, planned in by_key.items():
        _carry(event, planned, made[key], plan_step, why)
    for row in made.values():
        if row.state == State.PENDING:
            # Hints with a countdown are accepted even where many messages of a system are already queued.
            countdown = AT_ONCE if plan_step >= STAFF_CALL else 0.0
            hints.delivery_due(row.id, row.priority, row.system_id, countdown=countdown)
    return list(made.values())


def contact_of(recipient: str) -> UUID | None:
    """The contact's id in a recipient's key; ``None``: a team, or a member of staff."""
    kind, _, value = recipient.partition(":")
    return UUID(value) if kind == "contact" else None


def _carry(event: ChannelEvent, planned: PlannedDelivery, delivery: Delivery, plan_step: int, why: str) -> None:
    """Tie a delivery to its recipient's notification, which is created where there was none."""
    notification, _ = Notification.objects.get_or_create(
        event=event,
        recipient=planned.recipient,
        defaults={
            "organization_id": event.organization_id,
            "contact_id": contact_of(planned.recipient),
            "team": planned.system if planned.recipient.startswith("team:") else None,
            "name": planned.name[:200],
            "priority": delivery.priority,
            "step": plan_step,
            "step_since": timezone.now(),
        },
    )
    _, fresh = Sending.objects.get_or_create(
        delivery=delivery, defaults={"notification": notification, "step": plan_step}
    )
    if fresh:
        what = What.NOT_SENT if delivery.state == State.SKIPPED else What.ROUTED
        reason = f": {delivery.get_state_reason_display()}" if delivery.state_reason else ""
        entry = recording.of_notification(notification, what, f"{why}{reason}", delivery=delivery)
        recording.store([entry, *recording.of_passed_over(notification, planned)])
