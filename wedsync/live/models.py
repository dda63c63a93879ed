"""The log of what happened, and the channels that show it. The event row is the outbox (docs/adr/0001).

Its tables have no foreign keys where PostgreSQL would check for each row what the writing statement has ensured for its
whole batch (docs/adr/0021).
"""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Cast, Coalesce, Now

from wedsync.ids import new_id
from wedsync.queues import Priority
from wedsync.weddings.models import ApiKey, Contact, Membership, Organization, PersonalLink, Wedding


class ChannelEvent(models.Model):
    """The unit of truth: one per webhook or publish."""

    class Routing(models.TextChoices):
        """How far the event has been routed."""

        PENDING = "pending"
        ROUTED = "routed"
        UNLINKED = "unlinked"  # no wedding was found; waits for a reference
        HELD = "held"  # its connection is paused; routed when it is resumed
        FAILED = "failed"  # routing failed repeatedly; the log has the traceback

    class Effect(models.TextChoices):
        """What the event changed in its wedding."""

        PENDING = "pending"
        NONE = "none"
        APPLIED = "applied"
        UNCHANGED = "unchanged"
        STALE = "stale"

    class Source(models.TextChoices):
        WEBHOOK = "webhook"
        API = "api"
        WEDSYNC = "wedsync"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="events", db_index=False, db_constraint=False
    )
    wedding = models.ForeignKey(
        Wedding, on_delete=models.SET_NULL, null=True, blank=True, related_name="events", db_index=False
    )
    type = models.CharField(max_length=64)
    payload = models.JSONField()
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)
    source = models.CharField(max_length=16, choices=Source.choices)
    source_system_id = models.UUIDField(null=True, blank=True)
    source_connection_id = models.CharField(max_length=40, blank=True, default="")
    priority = models.CharField(max_length=8, choices=Priority.choices)
    correlation_id = models.UUIDField(default=new_id)
    hops = models.PositiveSmallIntegerField(default=0)
    routing = models.CharField(max_length=16, choices=Routing.choices, default=Routing.PENDING)
    routed_at = models.DateTimeField(null=True, blank=True)
    hinted_at = models.DateTimeField(null=True, blank=True, help_text="When the sweep last requested its routing.")
    routing_failures = models.PositiveSmallIntegerField(default=0)
    effect = models.CharField(max_length=16, choices=Effect.choices, default=Effect.PENDING)
    author = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text="Who published it: the name of a staff member or of an API key. Empty: a system, or WedSync.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(routing__in=["pending", "routed", "unlinked", "held", "failed"]), name="event_routing_known"
            ),
            models.CheckConstraint(
                condition=Q(effect__in=["pending", "none", "applied", "unchanged", "stale"]), name="event_effect_known"
            ),
            models.CheckConstraint(condition=Q(priority__in=Priority.values), name="event_priority_known"),
            models.CheckConstraint(condition=Q(hops__lte=3), name="event_hops_bounded"),
        ]
        indexes = [
            models.Index(
                "priority",
                Coalesce("hinted_at", Cast(Value("-infinity"), models.DateTimeField())),
                "id",
                name="event_waiting",
                condition=Q(routing="pending"),
            ),
            models.Index(fields=["source_connection_id"], name="event_held", condition=Q(routing="held")),
            models.Index(fields=["organization", "id"], name="event_newest"),
            models.Index(fields=["wedding", "id"], name="event_of_wedding"),
            models.Index(fields=["organization", "id"], name="event_unlinked", condition=Q(routing="unlinked")),
            models.Index(
                fields=["id"], name="event_unlinked_urgent", condition=Q(routing="unlinked", priority="urgent")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class Channel(models.Model):
    """A named live stream. The row is also its counter, which appending locks until the commit."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="channels", db_index=False)
    name = models.CharField(max_length=194)
    last_sequence = models.BigIntegerField(default=0)
    epoch = models.UUIDField(default=uuid.uuid4)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="channel_once")]

    def __str__(self) -> str:
        return self.name


class EpochSeed(models.Model):
    """From what the epochs of an organization's channels without a row are derived; without it, from its id."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, primary_key=True, related_name="+")
    seed = models.UUIDField(default=uuid.uuid4)

    def __str__(self) -> str:
        return str(self.seed)


class ChannelEntry(models.Model):
    """One event on one channel, with its sequence there. Sequences have no gap."""

    id = models.BigAutoField(primary_key=True)
    channel = models.ForeignKey(
        Channel, on_delete=models.CASCADE, related_name="entries", db_index=False, db_constraint=False
    )
    sequence = models.BigIntegerField()
    written_at = models.DateTimeField(db_default=Now(), editable=False)
    event = models.ForeignKey(
        ChannelEvent, on_delete=models.CASCADE, related_name="entries", db_index=False, db_constraint=False
    )

    class Meta:
        verbose_name_plural = "channel entries"
        constraints = [
            models.UniqueConstraint(fields=["channel", "sequence"], name="entry_sequence_once"),
            models.UniqueConstraint(fields=["event", "channel"], name="entry_channel_once"),
            models.CheckConstraint(condition=Q(sequence__gte=1), name="entry_sequence_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} #{self.sequence}"


class Ticket(models.Model):
    """Admits one client, once and soon: the holder of an API key, or a contact or member of staff that the key names.

    A ticket without a key was issued to a contact behind a signed link.
    """

    token_hash = models.CharField(primary_key=True, max_length=64, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="tickets")
    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, null=True, related_name="tickets")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    link = models.ForeignKey(PersonalLink, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    wedding = models.ForeignKey(
        Wedding,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The contact's, when the ticket was issued.",
    )
    channels = ArrayField(
        models.CharField(max_length=194), null=True, help_text="The only channels, as patterns; null: all."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    is_stream_token = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Bought by a ticket; admits streams again and again until it expires.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(api_key__isnull=False) | Q(link__isnull=False, contact__isnull=False),
                name="ticket_of_key_or_link",
            )
        ]

    def __str__(self) -> str:
        return f"ticket of {self.organization}"


class Seen(models.Model):
    """The last event of a channel that a contact has had on a screen, and when it was reported."""

    id = models.BigAutoField(primary_key=True)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="seen", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="seen")
    sequence = models.BigIntegerField()
    seen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "seen"
        constraints = [
            models.UniqueConstraint(fields=["channel", "contact"], name="seen_once"),
            models.CheckConstraint(condition=Q(sequence__gte=1), name="seen_sequence_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.contact} has seen {self.channel} #{self.sequence}"
