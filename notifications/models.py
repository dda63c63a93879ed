"""What people get."""

from django.db import models
from django.db.models import Q

from integrations.models import Delivery
from wedsync.ids import new_id
from wedsync.weddings.models import Channel, Organization


class Message(models.Model):
    """The rendered content of a delivery to a person, and what the provider says became of it."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        SENT = "sent"
        FAILED = "failed"
        DELIVERED = "delivered"
        READ = "read"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="messages")
    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="message")
    channel = models.CharField(max_length=16, choices=Channel.choices)
    address = models.CharField(max_length=254)
    subject = models.CharField(max_length=300)
    text = models.TextField()
    html = models.TextField(blank=True)
    provider_id = models.CharField(max_length=200, blank=True, db_index=True)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.QUEUED)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["queued", "sent", "failed", "delivered", "read"]), name="message_status_known"
            )
        ]

    def __str__(self) -> str:
        return self.subject
