"""What waits a while for more of its kind, so that it is told once."""

from django.db import models
from django.db.models import Q

from integrations.models import Delivery
from wedsync.ids import new_id
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import ContactChannel, Organization, Wedding


class Window(models.Model):
    """A time in which a recipient's news of a wedding are gathered: all low ones, or the changes of one thing."""

    class Kind(models.TextChoices):
        DIGEST = "digest"
        COLLAPSE = "collapse"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    wedding = models.ForeignKey(Wedding, on_delete=models.CASCADE, related_name="+")
    channel = models.CharField(max_length=16, choices=ContactChannel.choices)
    target = models.CharField(max_length=254, help_text="The normalized address, or the id of a team's system.")
    subject = models.CharField(max_length=300, blank=True, help_text="What changes; empty: a digest takes everything.")
    opens_at = models.DateTimeField(help_text="PostgreSQL's clock.")
    closes_at = models.DateTimeField(help_text="The same.")
    is_open = models.BooleanField(default=True, help_text="Takes further events.")
    closed_at = models.DateTimeField(null=True, help_text="When it was decided what is sent.")
    delivery = models.OneToOneField(
        Delivery,
        on_delete=models.SET_NULL,
        null=True,
        related_name="window",
        help_text="What was sent for it: the digest's own delivery, or the one that was left.",
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
    """A gathered delivery, and what became of it. An event is in one window per channel and address."""

    class Outcome(models.TextChoices):
        """How its event was told."""

        OPEN = "", "Not decided"
        IN_MESSAGE = "in_message", "In a digest"
        WENT_ALONE = "went_alone", "As a message of its own"
        COLLAPSED = "collapsed", "In the message about a newer change"
        TAKEN_BACK = "taken_back", "Changed back before it was told"
        LEFT = "left", "Not by the window: called off, or gone by itself"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    window = models.ForeignKey(Window, on_delete=models.CASCADE, related_name="entries")
    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="window_entry")
    event = models.ForeignKey(ChannelEvent, on_delete=models.CASCADE, related_name="+", db_index=False)
    channel = models.CharField(max_length=16, choices=ContactChannel.choices)
    target = models.CharField(max_length=254)
    subject = models.CharField(max_length=300, blank=True, help_text="What changes; empty: it stands for itself.")
    outcome = models.CharField(max_length=16, choices=Outcome.choices, blank=True, default=Outcome.OPEN)

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
