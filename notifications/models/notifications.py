"""Notifications, each of one recipient about one event, and the deliveries that carry them."""

from django.db import models
from django.db.models import Q

from integrations.models import Delivery, System
from wedsync.ids import new_id
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority
from wedsync.weddings.models import Contact, Organization


class Notification(models.Model):
    """An event of which a person, a team or a staff member is to be told, and the progress of its plan."""

    class State(models.TextChoices):
        OPEN = "open"  # the plan continues
        REACHED = "reached"  # as far as the plan requires
        FAILED = "failed"  # the plan ended without reaching anybody
        LEFT = "left"  # nothing to send: not wanted, collected, or already told

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    event = models.ForeignKey(ChannelEvent, on_delete=models.CASCADE, related_name="notifications", db_index=False)
    recipient = models.CharField(max_length=254, help_text="“contact:”, “team:” or “staff:”, and an id or an address.")
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="notifications")
    team = models.ForeignKey(System, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    name = models.CharField(max_length=200, help_text="The recipient's name at the time.")
    priority = models.CharField(max_length=8, choices=Priority.choices)
    steps = models.JSONField(default=list, help_text="The plan at the time when the event was routed.")
    step = models.PositiveSmallIntegerField(default=0)
    step_since = models.DateTimeField()
    look_at = models.DateTimeField(null=True, help_text="When the plan is next judged; PostgreSQL's clock.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(null=True, help_text="When the recipient first had the event on a screen.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "recipient"], name="notification_once"),
            models.CheckConstraint(
                condition=Q(state__in=["open", "reached", "failed", "left"]), name="notification_state_known"
            ),
        ]
        indexes = [
            models.Index(fields=["look_at"], name="notification_due", condition=Q(look_at__isnull=False)),
            models.Index(fields=["organization", "-id"], name="notification_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.event.type} for {self.name}"


class Sending(models.Model):
    """A delivery that carries a notification. A digest's delivery carries none: those of its entries do."""

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, primary_key=True, related_name="sending")
    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="sendings")
    step = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"step {self.step} by {self.delivery.channel}"
