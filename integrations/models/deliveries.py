"""Every delivery, why it exists, and its attempts."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import models
from django.db.models import Q
from django.utils import timezone

from integrations.models.routes import Route
from integrations.models.systems import System
from integrations.states import Outcome, Reason, State
from wedsync.ids import new_id
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority
from wedsync.weddings.models import Contact, Organization


@dataclass(frozen=True)
class Recipient:
    """Who a delivery goes to, for people to read. ``address``: empty for a system."""

    name: str
    address: str = ""

    def __str__(self) -> str:
        return f"{self.name}, {self.address}" if self.address else self.name


class Delivery(models.Model):
    """One thing going to one target. Its state changes by conditional writes only: see integrations/deliveries.py."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(ChannelEvent, on_delete=models.CASCADE, related_name="deliveries")
    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="deliveries")
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="deliveries")
    channel = models.CharField(max_length=16, help_text="system, or how a person is reached.")
    target = models.CharField(max_length=254, help_text="The system's id, or the normalized address.")
    shaped_by = models.ForeignKey(
        Route,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The route whose mapping or template makes what is sent; none: as it is.",
    )
    plan_step = models.PositiveSmallIntegerField(default=0)
    generation = models.PositiveSmallIntegerField(default=0)
    dedupe_key = models.CharField(max_length=400, unique=True)
    priority = models.CharField(max_length=8, choices=Priority.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    state_reason = models.CharField(max_length=32, choices=Reason.choices, blank=True)
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
            models.CheckConstraint(condition=Q(priority__in=Priority.values), name="delivery_priority_known"),
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
            models.Index(fields=["shaped_by"], name="delivery_shaped", condition=Q(shaped_by__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.channel} → {self.target} ({self.state})"

    @property
    def recipient(self) -> Recipient:
        """The person with their address, or the system."""
        return Recipient(self.contact.name, self.target) if self.contact else Recipient(self.system.name)

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
