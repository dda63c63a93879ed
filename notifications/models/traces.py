"""Why a message was sent, or was not."""

from django.db import models

from integrations.models import Delivery
from wedsync.ids import new_id
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Contact, ContactChannel, Organization


class TraceEntry(models.Model):
    """One decision or report about an event and a recipient. Rows are only ever added."""

    class What(models.TextChoices):
        ROUTED = "routed"
        SAME_PERSON = "same_person", "Same person"
        NOT_SENT = "not_sent", "Not sent"
        HELD = "held"
        GATHERED = "gathered"
        COLLAPSED = "collapsed"
        JOINED = "joined", "Joined an incident"
        SENT = "sent"
        FAILED = "failed"
        FELL_BACK = "fell_back", "Fell back"
        ESCALATED = "escalated"
        STATUS = "status"
        REPLIED = "replied"
        SEEN = "seen"
        ACKNOWLEDGED = "acknowledged"
        STOPPED = "stopped"
        ALERTED = "alerted"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    event = models.ForeignKey(ChannelEvent, on_delete=models.CASCADE, related_name="trace", db_index=False)
    recipient = models.CharField(max_length=254, blank=True, help_text="As of a notification; empty: the whole event.")
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="trace")
    delivery = models.ForeignKey(Delivery, on_delete=models.SET_NULL, null=True, related_name="trace")
    channel = models.CharField(max_length=16, choices=ContactChannel.choices, blank=True)
    what = models.CharField(max_length=16, choices=What.choices)
    text = models.CharField(max_length=500, help_text="A sentence for staff.")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "trace"
        indexes = [
            models.Index(fields=["event", "id"], name="trace_of_event"),
            models.Index(fields=["organization", "-id"], name="trace_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.what}: {self.text}"
