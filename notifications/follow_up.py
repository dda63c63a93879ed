"""Continues a notification or a digest when one of its deliveries has changed."""

from datetime import timedelta
from uuid import UUID

from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import Delivery
from integrations.states import State
from notifications import fallback
from notifications.digests import next_channel
from notifications.models import Message, Notification, Sending
from wedsync.queues import Priority

BATCH = 100
LATELY = timedelta(minutes=10)  # how far back to look for failures that nothing followed up


def after_delivery(delivery: Delivery) -> None:
    """Continue the notification or the digest whose delivery has changed."""
    found = Sending.objects.filter(delivery_id=delivery.id).values_list("notification_id", flat=True).first()
    if found:
        fallback.judge(found)
    else:
        next_channel.go_on(delivery)


def after_bounce(delivery: Delivery) -> None:
    """Continue after a status of its message: one that bounces later has not reached the recipient after all."""
    sending = Sending.objects.filter(delivery_id=delivery.id).first()
    if sending:
        reached = Notification.objects.filter(id=sending.notification_id, state=Notification.State.REACHED)
        message = Message.objects.filter(delivery_id=delivery.id).first()
        if message and message.came_back:
            reached.update(state=Notification.State.OPEN)
    after_delivery(delivery)


def after_seen(notification_id: UUID) -> None:
    """The recipient has had the event on a screen: the plan's step may have reached its goal."""
    fallback.judge(notification_id)


def judge_due() -> int:
    """Judge notifications whose timer is due, or whose failure a dying process left behind; returns how many."""
    timers = Notification.objects.filter(look_at__lte=Now(), state=Notification.State.OPEN).order_by("look_at")
    open_step = Q(notification__state=Notification.State.OPEN, step=F("notification__step"))
    failed = Sending.objects.filter(open_step)
    dead = failed.filter(delivery__state=State.DEAD, delivery__finished_at__gt=Now() - LATELY)
    told = failed.filter(delivery__message__status="failed", delivery__message__failed_at__gt=Now() - LATELY)
    ids = dict.fromkeys(timers.values_list("id", flat=True)[:BATCH])
    for rows in (dead, told):
        ids |= dict.fromkeys(rows.values_list("notification_id", flat=True)[:BATCH])
    for each in ids:
        fallback.judge(each)
    return len(ids) + next_channel.go_on_all(timezone.now() - LATELY)


def after_refusal(system_id: UUID) -> None:
    """A system accepts nothing for a while: move its urgent notifications on to their next channel."""
    waiting = Sending.objects.filter(
        delivery__system_id=system_id,
        delivery__state=State.HELD,
        delivery__priority=Priority.URGENT,
        notification__state=Notification.State.OPEN,
        step=F("notification__step"),
    )
    for each in set(waiting.values_list("notification_id", flat=True)[:BATCH]):
        fallback.judge(each)
