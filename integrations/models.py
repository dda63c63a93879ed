"""Connected systems, the routes to them, and every delivery with its attempts."""

from __future__ import annotations

import secrets
import uuid

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from integrations.states import Outcome, State
from wedsync import vault
from wedsync.ids import new_id
from wedsync.live.catalogue import CATALOGUE
from wedsync.live.channels import check_pattern
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority
from wedsync.weddings.models import Channel as PersonChannel
from wedsync.weddings.models import Contact, Organization, Wedding


class System(models.Model):
    """A connected outside system."""

    class Kind(models.TextChoices):
        STUDIO_CLOUD = "studio_cloud", "Studio Cloud"
        SHOOTQ = "shootq", "ShootQ"
        IRIS_WORKS = "iris_works", "Iris Works"
        VENUE_MASTER = "venue_master", "VenueMaster"
        PARTY_RENTAL = "party_rental", "PartyRental"
        WHATSAPP = "whatsapp", "WhatsApp"
        SLACK = "slack", "Slack"
        EMAIL = "email", "Email"
        WEBHOOK = "webhook", "Signed webhook"

    class Status(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"
        DISABLED = "disabled"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="systems")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    base_url = models.URLField(max_length=500, help_text="Without a slash at the end.")
    sealed_credentials = models.TextField(blank=True, default="", editable=False)
    state = models.CharField(max_length=16, choices=Status.choices, default=Status.ACTIVE)
    state_reason = models.CharField(max_length=200, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["active", "paused", "disabled"]), name="system_state_known"),
            models.UniqueConstraint(fields=["organization", "name"], name="system_name_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def credentials(self) -> dict[str, str]:
        """The stored credentials in clear; ``env:NAME`` values are resolved now.

        Raises:
            ConfigurationError: a key or a variable is missing.
        """
        return vault.unseal(self.sealed_credentials)

    def seal_credentials(self, values: dict[str, str]) -> None:
        """Replace the credentials; saved with the row."""
        self.sealed_credentials = vault.seal(values)


def new_connection_id() -> str:
    """An unguessable id, which stands in the connection's URL."""
    return "wsc_" + secrets.token_urlsafe(18).replace("-", "a").replace("_", "b")


class Connection(models.Model):
    """The inbound door of one system."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"  # accepted and stored, routed when resumed
        DISABLED = "disabled"  # 404

    id = models.CharField(primary_key=True, max_length=40, default=new_connection_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="connections")
    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="connections")
    state = models.CharField(max_length=16, choices=Status.choices, default=Status.ACTIVE)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["active", "paused", "disabled"]),
                name="connection_state_known",
            )
        ]

    def __str__(self) -> str:
        return f"{self.system} · {self.id[:10]}…"


class ConnectionSecret(models.Model):
    """One of a connection's live signing secrets, encrypted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="secrets")
    sealed = models.TextField(editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"secret of {self.created_at:%Y-%m-%d}"


class ExternalReference(models.Model):
    """An outside system's name for a wedding or contact of ours. A system that has one is a supplier of the wedding."""

    class Kind(models.TextChoices):
        BOOKING = "booking"
        CLIENT = "client"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="external_references")
    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="references")
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.BOOKING)
    external_id = models.CharField(max_length=200)
    wedding = models.ForeignKey(Wedding, on_delete=models.CASCADE, null=True, blank=True, related_name="references")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, null=True, blank=True, related_name="references")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["system", "kind", "external_id"], name="reference_once"),
            models.CheckConstraint(condition=Q(kind__in=["booking", "client"]), name="reference_kind_known"),
            models.CheckConstraint(
                condition=Q(wedding__isnull=False) | Q(contact__isnull=False), name="reference_points_somewhere"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.system}: {self.external_id}"


class Route(models.Model):
    """Where events go: channel pattern and event types on one side, a target on the other."""

    class Target(models.TextChoices):
        SYSTEM = "system", "A system"
        PEOPLE = "people", "People"
        LIVE = "live", "A live channel"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="routes")
    name = models.CharField(max_length=200)
    active = models.BooleanField(default=True)
    channel_pattern = models.CharField(max_length=194, help_text="For instance supplier:dashboard:{supplierId}.")
    event_types = ArrayField(
        models.CharField(max_length=64), default=list, blank=True, help_text="Names by comma; empty: all."
    )
    target = models.CharField(max_length=16, choices=Target.choices)
    system = models.ForeignKey(
        System,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="routes",
        help_text="For a system: the system. For people on Slack: the team's channel.",
    )
    roles = ArrayField(
        models.CharField(max_length=16, choices=Contact.Role.choices),
        default=list,
        blank=True,
        help_text="Roles of the wedding, by comma; for people.",
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, null=True, blank=True, related_name="routes", help_text="One named person."
    )
    channels = ArrayField(
        models.CharField(max_length=16, choices=PersonChannel.choices),
        default=list,
        blank=True,
        help_text="whatsapp, email, slack; empty: what each person prefers.",
    )
    live_channel = models.CharField(
        max_length=194, blank=True, help_text="For a live channel: its name; {name} is taken from the pattern."
    )
    echo = models.BooleanField(default=False, help_text="Also back to the system that the event came from.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(target__in=["system", "people", "live"]), name="route_target_known"),
            models.CheckConstraint(condition=~Q(target="system") | Q(system__isnull=False), name="route_has_system"),
        ]
        indexes = [models.Index(fields=["organization", "active"], name="route_by_organization")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse at the field what could never match or send."""
        errors: dict[str, str] = {}
        try:
            check_pattern(self.channel_pattern)
        except ValueError as error:
            errors["channel_pattern"] = str(error)
        unknown = sorted(set(self.event_types or ()) - set(CATALOGUE))
        if unknown:
            errors["event_types"] = f"No such event type: {', '.join(unknown)}."
        if self.target == self.Target.SYSTEM and self.system is None:
            errors["system"] = "Choose the system that receives the events."
        if self.target == self.Target.PEOPLE and not (self.roles or self.contact or self.system):
            errors["roles"] = "Name roles, a contact, or a team's Slack channel."
        if self.target == self.Target.LIVE and not self.live_channel:
            errors["live_channel"] = "Name the live channel."
        if errors:
            raise ValidationError(errors)


class Delivery(models.Model):
    """One thing going to one target. Its state changes by conditional writes only: see integrations/deliveries.py."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(ChannelEvent, on_delete=models.CASCADE, related_name="deliveries")
    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="deliveries")
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="deliveries")
    channel = models.CharField(max_length=16, help_text="system, or how a person is reached.")
    target = models.CharField(max_length=254, help_text="The system's id, or the normalized address.")
    plan_step = models.PositiveSmallIntegerField(default=0)
    generation = models.PositiveSmallIntegerField(default=0)
    dedupe_key = models.CharField(max_length=400, unique=True)
    priority = models.CharField(max_length=8, choices=Priority.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    state_reason = models.CharField(max_length=200, blank=True)
    next_attempt_at = models.DateTimeField(default=timezone.now, help_text="Due from here on; PostgreSQL's clock.")
    hinted_at = models.DateTimeField(null=True, help_text="When the sweep last asked a worker to take it.")
    expires_at = models.DateTimeField()
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempt_count = models.PositiveIntegerField(default=0)
    request = models.JSONField(null=True, help_text="Frozen at the first attempt; holds no credentials.")
    may_duplicate = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="delivery_state_known"),
            models.CheckConstraint(
                condition=Q(priority__in=["low", "normal", "high", "urgent"]), name="delivery_priority_known"
            ),
            models.CheckConstraint(
                condition=Q(state="in_flight", lease_token__isnull=False, lease_until__isnull=False)
                | (~Q(state="in_flight") & Q(lease_token__isnull=True, lease_until__isnull=True)),
                name="delivery_lease_while_in_flight",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="delivery_due", condition=Q(state__in=["pending", "scheduled", "held"])
            ),
            models.Index(fields=["lease_until"], name="delivery_leased", condition=Q(state="in_flight")),
            models.Index(fields=["system", "state"], name="delivery_by_system"),
            models.Index(fields=["organization", "-id"], name="delivery_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} → {self.target} ({self.state})"

    @staticmethod
    def key(
        event_id: uuid.UUID, kind: str, target: str, channel: str, *, plan_step: int = 0, generation: int = 0
    ) -> str:
        """The ``dedupe_key``: event, target kind, target or address, channel, plan step, generation."""
        return f"{event_id}:{kind}:{target}:{channel}:{plan_step}:{generation}"


class DeliveryReason(models.Model):
    """Why a delivery exists: a route that asked for it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="reasons")
    route = models.ForeignKey(Route, on_delete=models.SET_NULL, null=True, related_name="reasons")
    route_name = models.CharField(max_length=200, help_text="As it was called then.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "route"], name="reason_once")]

    def __str__(self) -> str:
        return self.route_name


class Attempt(models.Model):
    """One try of a delivery: when, how long, and what came of it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    status_code = models.PositiveSmallIntegerField(null=True)
    error_class = models.CharField(max_length=64, blank=True)
    error = models.CharField(max_length=500, blank=True)
    response_excerpt = models.CharField(max_length=1000, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="attempt_number_once"),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="attempt_outcome_known"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number}: {self.outcome}"
