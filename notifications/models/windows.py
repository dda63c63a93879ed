"""Windows in which events wait for more of their kind, so that people are told once."""

from django.db import models
from django.db.models import Q

from integrations.models import Delivery
from wedsync.ids import new_id
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import ContactChannel, Organization, Wedding


class Window(models.Model):
    """A time in which a recipient's events of a wedding are collected: all low ones, or changes of one thing."""

    class Kind(models.TextChoices):
        DIGEST = "digest"
        COLLAPSE = "collapse"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    wedding = models.ForeignKey(Wedding, on_delete=models.CASCADE, related_name="+")
    channel = models.CharField(max_length=16, choices=ContactChannel.choices)
    target = models.CharField(max_length=254, help_text="The normalized address, or the id of a team's system.")
    subject = models.CharField(max_length=300, blank=True, help_text="What changes; empty: a digest, which takes all.")
    opens_at = models.DateTimeField(help_text="PostgreSQL's clock.")
    closes_at = models.DateTimeField(help_text="PostgreSQL's clock.")
    is_open = models.BooleanField(default=True, help_text="Accepts further events.")
    closed_at = models.DateTimeField(null=True, help_text="When the decision was made what to send.")
    delivery = models.OneToOneField(
        Delivery,
        on_delete=models.SET_NULL,
        null=True,
        related_name="window",
        help_text="What was sent: the digest's own delivery, or the last remaining one.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "kind", "wedding", "channel", "target", "subject"],
                condition=Q(is_open=True),
                name="window_open_once",
            ),
            models.CheckConstraint(condition=Q(kind__in=["digest", "collapse"]), name="window_kind_known"),
            models.CheckConstraint(condition=Q(is_open=False) | Q(closed_at=None), name="window_closed_takes_nothing"),
        ]
        indexes = [models.Index(fields=["closes_at"], name="window_due", condition=Q(closed_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.kind} of {self.target}"


class WindowEntry(models.Model):
    """A collected delivery and its outcome. An event is in one window per channel and address."""

    class ToldAs(models.TextChoices):
        """How people were told of its event."""

        OPEN = "", "Not decided"
        IN_MESSAGE = "in_message", "In a digest"
        WENT_ALONE = "went_alone", "As its own message"
        COLLAPSED = "collapsed", "In the message about a newer change"
        TAKEN_BACK = "taken_back", "Reverted before anybody was told"
        LEFT = "left", "Not by the window: cancelled, or sent separately"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    window = models.ForeignKey(Window, on_delete=models.CASCADE, related_name="entries")
    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="window_entry")
    event = models.ForeignKey(ChannelEvent, on_delete=models.CASCADE, related_name="+", db_index=False)
    channel = models.CharField(max_length=16, choices=ContactChannel.choices)
    target = models.CharField(max_length=254)
    subject = models.CharField(max_length=300, blank=True, help_text="What changes; empty: only itself.")
    outcome = models.CharField(max_length=16, choices=ToldAs.choices, blank=True, default=ToldAs.OPEN)

    class Meta:
        verbose_name_plural = "window entries"
        constraints = [
            models.UniqueConstraint(fields=["event", "channel", "target"], name="window_entry_once"),
            models.CheckConstraint(
                condition=Q(outcome__in=["", "in_message", "went_alone", "collapsed", "taken_back", "left"]),
                name="window_entry_outcome_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} for {self.target}"
