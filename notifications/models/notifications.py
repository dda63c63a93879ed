"""One event for one recipient, and the deliveries that carry it."""

from django.db import models
from django.db.models import Q

from integrations.models import Delivery, System
from wedsync.ids import new_id
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority
from wedsync.weddings.models import Contact, Organization


class Notification(models.Model):
    """An event that somebody is to hear of: a person, a team, or one of the staff; and how far its plan has come."""

    class State(models.TextChoices):
        OPEN = "open"  # the plan goes on
        REACHED = "reached"  # as far as the plan asks for
        FAILED = "failed"  # the plan has ended, and did not get there
        LEFT = "left"  # nothing was to be sent: not wanted, gathered, told already

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    event = models.ForeignKey(ChannelEvent, on_delete=models.CASCADE, related_name="notifications", db_index=False)
    recipient = models.CharField(max_length=254, help_text="“contact:”, “team:” or “staff:”, and an id or an address.")
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="notifications")
    team = models.ForeignKey(System, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    name = models.CharField(max_length=200, help_text="As they were called then.")
    priority = models.CharField(max_length=8, choices=Priority.choices)
    steps = models.JSONField(default=list, help_text="The plan, as it was when the event was routed.")
    step = models.PositiveSmallIntegerField(default=0)
    step_since = models.DateTimeField()
    look_at = models.DateTimeField(null=True, help_text="When the plan is looked at next; PostgreSQL's clock.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField(auto_now_add=True)

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
    """A delivery that carries a notification. A digest's delivery carries none: its entries' own ones tell of it."""

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, primary_key=True, related_name="sending")
    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="sendings")
    step = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"step {self.step} by {self.delivery.channel}"
