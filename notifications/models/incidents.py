"""Emergencies, of a known or an unknown wedding, and their reports."""

from django.db import models
from django.db.models import Q

from integrations.models import Connection
from wedsync.ids import new_id
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Organization, Wedding

UNKNOWN_KIND = "emergency"
"""The kind of an incident whose report did not say what has happened."""


class Incident(models.Model):
    """An emergency at a wedding, or a drill: open, acknowledged, resolved. Further reports join it.

    Without a wedding it belongs to the connection that reported it, until staff choose one:
    docs/staff/incidents.md.
    """

    class State(models.TextChoices):
        OPEN = "open"
        ACKNOWLEDGED = "acknowledged"
        RESOLVED = "resolved"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="incidents", db_index=False)
    wedding = models.ForeignKey(Wedding, on_delete=models.CASCADE, null=True, related_name="incidents")
    connection = models.ForeignKey(
        Connection,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        help_text="Without a wedding: the connection that reported it.",
    )
    event = models.OneToOneField(
        ChannelEvent, on_delete=models.CASCADE, related_name="opened_incident", help_text="The report that opened it."
    )
    kind = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    drill = models.BooleanField(default=False)
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    opened_at = models.DateTimeField(auto_now_add=True)
    opened_by = models.CharField(max_length=200)
    steps = models.JSONField(default=list, help_text="The plan at the time when it was opened.")
    step = models.PositiveSmallIntegerField(default=0)
    next_step_at = models.DateTimeField(null=True, help_text="PostgreSQL's clock.")
    ended_at = models.DateTimeField(null=True, help_text="When the plan ended without an acknowledgement.")
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=200, blank=True)
    acknowledged_via = models.CharField(max_length=32, blank=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=200, blank=True)
    told_at = models.DateTimeField(help_text="When people were last told of reports.")
    update_due_at = models.DateTimeField(null=True, help_text="When people are told of the newest report.")
    staff_due_at = models.DateTimeField(null=True, help_text="When owners and support are next told.")
    staff_calls = models.PositiveIntegerField(default=0, db_default=0, help_text="How often they were told.")
    suggested_wedding = models.ForeignKey(
        Wedding,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The only wedding that it can concern.",
    )
    assumed_at = models.DateTimeField(null=True, help_text="When that wedding is alerted, unless staff answer first.")
    chosen_wedding = models.ForeignKey(
        Wedding,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The wedding to which its reports went.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["wedding", "drill"], name="incident_one_at_a_time", condition=~Q(state="resolved")
            ),
            models.UniqueConstraint(
                fields=["connection"],
                name="incident_one_without_wedding",
                condition=Q(wedding__isnull=True) & ~Q(state="resolved"),
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "acknowledged", "resolved"]), name="incident_state_known"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="incident_newest"),
            models.Index(fields=["next_step_at"], name="incident_step_due", condition=Q(next_step_at__isnull=False)),
            models.Index(fields=["update_due_at"], name="incident_told_due", condition=Q(update_due_at__isnull=False)),
            models.Index(fields=["staff_due_at"], name="incident_staff_due", condition=Q(staff_due_at__isnull=False)),
            models.Index(fields=["assumed_at"], name="incident_assumed", condition=Q(assumed_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{'Drill: ' if self.drill else ''}{self.kind_in_words} · {self.about}"

    @property
    def kind_in_words(self) -> str:
        """What has happened, in words for staff; a report may omit it."""
        return self.kind.replace("_", " ").strip() or UNKNOWN_KIND

    @property
    def about(self) -> str:
        """The couple, or that the wedding is unknown."""
        return self.wedding.couple if self.wedding else "unknown wedding"


class IncidentReport(models.Model):
    """An event that reports an incident. ``told_at``: when people were told of it; null if it says nothing new."""

    event = models.OneToOneField(ChannelEvent, on_delete=models.CASCADE, primary_key=True, related_name="report")
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="reports")
    words = models.CharField(max_length=64, help_text="A hash of its content.")
    told_at = models.DateTimeField(null=True)
    key = models.CharField(  # noqa: DJ001  (most have none, and each key is unique)
        max_length=110, null=True, unique=True, help_text="Connection and hashed id of a refused or held event."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"report of {self.incident}"
