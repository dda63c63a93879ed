"""Rows of inbound requests: receipts, dedup ids, and providers' notices.

Foreign keys of the tables that each request writes to are checked by the writing statement, once for its whole batch
(docs/adr/0021).
"""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform

from integrations.models import Connection
from wedsync.ids import new_id
from wedsync.weddings.models import Organization


class Receipt(models.Model):
    """The record of one inbound request. An accepted webhook's has its event's id; a callback's has no event.

    Signed requests whose content was refused are kept whole. Of all other refused requests, including signed ones over
    the limit, only a sample is kept, each with only the beginning of its body (docs/adr/0023).
    """

    class Verdict(models.TextChoices):
        ACCEPTED = "accepted"
        UNRECOGNISED = "unrecognised"
        REUSED_ID = "reused_id"
        REJECTED = "rejected"

    class Alarm(models.TextChoices):
        """Whether staff must hear of a refused or held emergency, apart from all other processing."""

        NONE = ""
        DUE = "due"
        TOLD = "told"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="receipts", db_index=False, db_constraint=False
    )
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="receipts", db_index=False, db_constraint=False
    )
    verdict = models.CharField(max_length=16, choices=Verdict.choices)
    signed = models.BooleanField(default=False, help_text="Whether one of the connection's secrets signed it.")
    slug = models.CharField(max_length=40, blank=True, help_text="The slug of the answer's problem, if any.")
    reason = models.CharField(max_length=500, blank=True)
    errors = models.JSONField(default=list, blank=True, help_text="The wrong fields, and why.")
    unkept = models.PositiveIntegerField(
        default=0, help_text="How many rejected requests before this one were only counted, not kept."
    )
    older_secret_id = models.UUIDField(null=True, blank=True, help_text="The secret that signed it, if not the newest.")
    alarm = models.CharField(
        max_length=8, choices=Alarm.choices, blank=True, db_default="", default="",
        help_text="For a signed emergency that was refused or is held: whether staff were told.",
    )  # fmt: skip
    reprocessed_at = models.DateTimeField(null=True, blank=True)
    event_id = models.UUIDField(null=True, blank=True)
    external_id = models.CharField(max_length=200, blank=True)
    event_type = models.CharField(max_length=100, blank=True, help_text="The vendor's own name.")
    body = models.BinaryField(help_text="As received.")
    body_size = models.PositiveIntegerField(default=0, help_text="Bytes as received.")
    headers = models.JSONField(default=dict, help_text="Selected headers; never a signature.")
    remote_address = models.GenericIPAddressField(null=True, blank=True)
    correlation_id = models.UUIDField(
        null=True, blank=True, help_text="In each log line that results from this request."
    )
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict__in=["accepted", "unrecognised", "reused_id", "rejected"]),
                name="receipt_verdict_known",
            )
        ]
        indexes = [
            models.Index(fields=["organization", "id"], name="receipt_newest"),
            models.Index(fields=["connection", "id"], name="receipt_of_connection"),
            models.Index(
                fields=["connection", "id"], name="receipt_unsigned", condition=Q(verdict="rejected", signed=False)
            ),
            models.Index(
                fields=["older_secret_id", "id"],
                name="receipt_older_secret",
                condition=Q(older_secret_id__isnull=False),
            ),
            models.Index(fields=["id"], name="receipt_alarm_due", condition=Q(alarm="due")),
        ]

    def __str__(self) -> str:
        return f"{self.event_type or 'request'} {self.verdict}"


class DedupId(models.Model):
    """An envelope's id that a connection has used, kept for 30 days in a separate table (docs/adr/0011)."""

    pk = models.CompositePrimaryKey("connection_id", "external_id")
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="dedup_ids", db_index=False, db_constraint=False
    )
    external_id = models.CharField(max_length=200)
    receipt_id = models.UUIDField(help_text="The first request's receipt id, which is also its event's id.")
    body_hash = models.BinaryField(max_length=32)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [BrinIndex(fields=["received_at"], name="dedup_id_age")]

    def __str__(self) -> str:
        return self.external_id


OUR_ID = "biz_opaque_callback_data"  # the delivery's id, repeated in each status; WhatsApp's name for it


class ProviderNotice(models.Model):
    """One piece of a provider's callback, each stored once: a status, a reply, a pressed button."""

    class Kind(models.TextChoices):
        STATUS = "status"  # of a message that we sent
        MESSAGE = "message"  # from a person to us
        INTERACTION = "interaction"  # a person pressed a button
        OTHER = "other"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="notices", db_index=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="notices", db_index=False)
    receipt = models.ForeignKey(Receipt, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    name = models.CharField(
        max_length=64, help_text="The provider's own name: delivered, email.bounced, block_actions."
    )
    provider_id = models.CharField(max_length=200, blank=True, help_text="The message that it is about.")
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)
    data = models.JSONField(help_text="The provider's own object.")
    taken_at = models.DateTimeField(null=True, help_text="When it took effect, or was given up; empty: not yet.")
    take_after = models.DateTimeField(null=True, help_text="When to try at the earliest, by PostgreSQL's clock.")
    take_failures = models.PositiveSmallIntegerField(db_default=0)
    taken_error = models.CharField(max_length=100, db_default="", help_text="Why it did not take effect.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["status", "message", "interaction", "other"]), name="notice_kind_known"
            )
        ]
        indexes = [
            models.Index(fields=["organization", "id"], name="notice_newest"),
            models.Index(fields=["connection", "provider_id"], name="notice_of_message"),
            models.Index(fields=["connection", "id"], name="notice_untaken", condition=Q(taken_at__isnull=True)),
            models.Index(KeyTextTransform(OUR_ID, "data"), name="notice_of_delivery", condition=Q(kind="status")),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.provider_id}"
