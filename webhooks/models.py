"""What came in through the doors."""

from django.db import models
from django.db.models import Q

from integrations.models import Connection
from wedsync.ids import new_id
from wedsync.weddings.models import Organization


class Receipt(models.Model):
    """The record of one inbound request. An accepted one has its event's id."""

    class Verdict(models.TextChoices):
        ACCEPTED = "accepted"
        UNRECOGNISED = "unrecognised"
        REUSED_ID = "reused_id"
        REJECTED = "rejected"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="receipts")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="receipts")
    verdict = models.CharField(max_length=16, choices=Verdict.choices)
    reason = models.CharField(max_length=500, blank=True)
    event_id = models.UUIDField(null=True, blank=True)
    external_id = models.CharField(max_length=200, blank=True)
    event_type = models.CharField(max_length=100, blank=True, help_text="In the vendor's own words.")
    body = models.BinaryField(help_text="As received.")
    headers = models.JSONField(default=dict, help_text="Chosen ones; never a signature.")
    remote_address = models.GenericIPAddressField(null=True, blank=True)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict__in=["accepted", "unrecognised", "reused_id", "rejected"]),
                name="receipt_verdict_known",
            )
        ]
        indexes = [models.Index(fields=["organization", "-id"], name="receipt_newest")]

    def __str__(self) -> str:
        return f"{self.event_type or 'request'} {self.verdict}"


class DedupId(models.Model):
    """An envelope's id that a connection has used, kept for 30 days in a table of its own (docs/adr/0011)."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="dedup_ids")
    external_id = models.CharField(max_length=200)
    receipt_id = models.UUIDField(help_text="The first request's, which is also its event's.")
    body_hash = models.BinaryField(max_length=32)
    received_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "external_id"], name="dedup_id_once")]

    def __str__(self) -> str:
        return self.external_id
