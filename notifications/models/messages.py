"""The messages that people receive."""

from django.db import models
from django.db.models import Q

from integrations.models import Delivery
from wedsync.ids import new_id
from wedsync.weddings.models import ContactChannel, Organization


class Message(models.Model):
    """The rendered content of a delivery to a person, and its fate according to the provider."""

    class Status(models.TextChoices):
        """In the order of their ranks; a provider's report never moves a message back: docs/staff/statuses.md."""

        QUEUED = "queued"
        SENT = "sent"
        FAILED = "failed"
        DELIVERED = "delivered"
        READ = "read"

        @property
        def below(self) -> list[str]:
            """The statuses that this one replaces."""
            ranks = list(Message.Status)
            return [status.value for status in ranks[: ranks.index(self)]]

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="messages")
    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="message")
    channel = models.CharField(max_length=16, choices=ContactChannel.choices)
    address = models.CharField(max_length=254)
    subject = models.CharField(max_length=300)
    text = models.TextField()
    html = models.TextField(blank=True)
    provider_id = models.CharField(max_length=200, blank=True, db_index=True)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.QUEUED)
    failure = models.CharField(max_length=300, blank=True, help_text="What the provider says went wrong.")
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    bounced_at = models.DateTimeField(null=True)
    complained_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["queued", "sent", "failed", "delivered", "read"]), name="message_status_known"
            )
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="message_newest"),
            models.Index(fields=["organization", "channel", "address", "-id"], name="message_of_address"),
            models.Index(fields=["failed_at"], name="message_failed", condition=Q(failed_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def came_back(self) -> bool:
        """Whether the provider says that it will not arrive, and nobody has read it after all."""
        return self.status == self.Status.FAILED or bool(self.bounced_at and not self.read_at)
