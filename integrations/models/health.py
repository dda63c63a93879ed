"""The health of connected systems, alerts, and the heartbeats of processes."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from integrations.models.breaker_changes import BreakerState
from integrations.models.systems import System
from wedsync.ids import new_id
from wedsync.weddings.models import Organization


class HealthStatus(models.TextChoices):
    """How healthy something is."""

    UNUSED = "unused", "Not used yet"
    HEALTHY = "healthy"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """The higher, the worse."""
        return list(HealthStatus).index(self)


class Cause(models.TextChoices):
    """Why staff are alerted."""

    SYSTEM_CRITICAL = "system_critical", "A system is critical"
    SYSTEM_STOPPED = "system_stopped", "A system was stopped"
    OLDEST_DUE = "oldest_due", "Something is overdue"
    WEB_SILENT = "web_silent", "No sign of life from web"
    SWEEP_SILENT = "sweep_silent", "No sign of life from the sweep"
    HEALTH_SILENT = "health_silent", "No sign of life from the health sweep"
    NOBODY_REACHED = "nobody_reached", "Nobody could be reached"
    TEMPLATE_REFUSED = "template_refused", "A template is not accepted"
    ROW_LOCKED = "row_locked", "A row stays locked"
    UNANSWERED = "unanswered", "An emergency that nobody acknowledged"
    LOOP = "loop", "Two systems contradict each other"
    SELF_TEST = "self_test", "The daily self-test did not reach all staff"


class _Figures(models.Model):
    """The figures at one time."""

    taken_at = models.DateTimeField(db_default=Now())
    status = models.CharField(max_length=8, choices=HealthStatus.choices, default=HealthStatus.HEALTHY)
    score = models.PositiveSmallIntegerField(default=100)
    breaker = models.CharField(max_length=9, choices=BreakerState.choices, default=BreakerState.UNKNOWN)
    attempts = models.PositiveIntegerField(default=0, help_text="Calls in the window that count for health.")
    successes = models.PositiveIntegerField(default=0)
    oldest_due_seconds = models.FloatField(null=True, help_text="Empty: nothing is due.")
    waiting = models.PositiveIntegerField(default=0, help_text="Pending, scheduled or held.")
    held = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    @property
    def success_rate(self) -> float | None:
        """Percent; ``None``: nothing was tried."""
        return round(100 * self.successes / self.attempts, 2) if self.attempts else None


class HealthReading(_Figures):
    """The newest figures of a system, written by the health sweep."""

    system = models.OneToOneField(System, on_delete=models.CASCADE, primary_key=True, related_name="reading")
    dead = models.PositiveIntegerField(default=0, help_text="Given up in the last 24 hours.")
    by_priority = models.JSONField(default=dict, help_text="Waiting deliveries by priority.")
    last_success_at = models.DateTimeField(null=True)
    last_failure_at = models.DateTimeField(null=True)
    why = models.JSONField(default=list, help_text="Sentences.")
    unusable = models.CharField(
        max_length=500, blank=True, default="", db_default="", help_text="Why it cannot be called; empty: it can."
    )
    own_faults = models.PositiveIntegerField(
        default=0, db_default=0, help_text="How many of the newest calls in a row."
    )
    own_fault = models.CharField(
        max_length=500, blank=True, default="", db_default="", help_text="The text of the last one."
    )
    mended_at = models.DateTimeField(null=True, help_text="When a fault of ours was found to be mended.")

    def __str__(self) -> str:
        return f"{self.status} ({self.score})"


class PastReading(_Figures):
    """The figures of a system when they changed, or else every ten minutes; kept for seven days."""

    id = models.BigAutoField(primary_key=True)
    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="past_readings", db_index=False)

    class Meta:
        indexes = [
            models.Index(fields=["system", "-taken_at"], name="past_reading_newest"),
            models.Index(fields=["taken_at"], name="past_reading_age"),
        ]

    def __str__(self) -> str:
        return f"{self.status} ({self.score})"


class OrganizationReading(models.Model):
    """The newest figures of a whole organization."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="reading"
    )
    taken_at = models.DateTimeField(db_default=Now())
    oldest_due_seconds = models.FloatField(null=True, help_text="Of deliveries and unrouted events.")
    unrouted_seconds = models.FloatField(null=True, help_text="Age of the oldest unrouted event.")

    def __str__(self) -> str:
        return f"oldest due: {self.oldest_due_seconds} s"


class AttemptMinute(models.Model):
    """The calls to a system that began in one minute, summed up, so that no round recounts an hour of attempts."""

    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="attempt_minutes", db_index=False)
    minute = models.DateTimeField()
    attempts = models.PositiveIntegerField(help_text="Excludes those that say nothing about the system.")
    successes = models.PositiveIntegerField()
    last_success_at = models.DateTimeField(null=True)
    last_failure_at = models.DateTimeField(null=True)
    own_faults = models.PositiveIntegerField(default=0, db_default=0, help_text="Failed because of a fault of ours.")
    last_own_fault_at = models.DateTimeField(null=True)
    own_fault = models.CharField(max_length=500, blank=True, default="", db_default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["minute", "system"], name="attempt_minute_once")]

    def __str__(self) -> str:
        return f"{self.successes} of {self.attempts}"


class Alert(models.Model):
    """Something that staff must know. At most one per cause, system and subject is open; it is sent once an hour."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="alerts", db_index=False)
    cause = models.CharField(max_length=16, choices=Cause.choices)
    system = models.ForeignKey(System, on_delete=models.CASCADE, null=True, related_name="alerts")
    about = models.CharField(
        max_length=64, blank=True, default="", help_text="What else it concerns, such as an incident's id."
    )
    text = models.CharField(max_length=500)
    first_at = models.DateTimeField(db_default=Now())
    last_at = models.DateTimeField(db_default=Now())
    told_at = models.DateTimeField(null=True, help_text="When staff were last told, even of an earlier one.")
    count = models.PositiveIntegerField(default=0, help_text="How often it was found.")
    tellings = models.PositiveIntegerField(default=0, help_text="How often staff were told.")
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "cause", "system", "about"],
                name="alert_open_once",
                condition=Q(resolved_at=None),
                nulls_distinct=False,
            )
        ]
        indexes = [models.Index(fields=["organization", "cause", "system", "-told_at"], name="alert_by_cause")]

    def __str__(self) -> str:
        return f"{self.get_cause_display()}: {self.text}"


class Heartbeat(models.Model):
    """The last heartbeat of a kind of process. ``silence_told_at``: when staff were last alerted to its silence."""

    name = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField(db_default=Now())
    hostname = models.CharField(max_length=253, blank=True)
    silence_told_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name}: {self.at}"
