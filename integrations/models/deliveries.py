"""Deliveries, the reasons why they exist, and their attempts."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, Q, Value, When
from django.utils import timezone

from integrations.models.routes import Route
from integrations.models.systems import System
from integrations.states import Outcome, Reason, State
from wedsync.ids import new_id
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority
from wedsync.weddings.models import Contact, ContactChannel, Organization

STAFF_CALL = 1_000
"""Plan steps from this number on call owners and support; the first try is made even while a breaker is open."""
WAITS = Q(state__in=["pending", "scheduled", "held"])
PRECEDENCE = Case(
    *(When(priority=priority.value, then=2 * rank) for rank, priority in enumerate(reversed(Priority))),
    default=Value(2 * len(Priority)),
) + Case(When(attempt_count__gt=0, then=1), default=Value(0))


@dataclass(frozen=True)
class Recipient:
    """The recipient of a delivery, for people to read. ``address``: empty for a system."""

    name: str
    address: str = ""

    def __str__(self) -> str:
        return f"{self.name}, {self.address}" if self.address else self.name


class Delivery(models.Model):
    """One thing going to one target. Only ``integrations/deliveries/state_changes.py`` changes its state."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    event = models.ForeignKey(ChannelEvent, on_delete=models.CASCADE, related_name="deliveries")
    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="deliveries")
    channel = models.CharField(max_length=16, help_text="“system”, or the channel to a person.")
    target = models.CharField(max_length=254, help_text="The system's id, or the normalized address.")
    shaped_by = models.ForeignKey(
        Route,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The route whose mapping or template shapes the request; empty: the event is sent as it is.",
    )
    plan_step = models.PositiveSmallIntegerField(default=0)
    generation = models.PositiveSmallIntegerField(default=0)
    dedupe_key = models.CharField(max_length=400)
    priority = models.CharField(max_length=8, choices=Priority.choices)
    precedence = models.GeneratedField(
        expression=PRECEDENCE,
        output_field=models.SmallIntegerField(),
        db_persist=True,
        help_text="Lower goes first: by priority, and first attempts before later ones.",
    )
    order_key = models.CharField(
        max_length=110, blank=True, help_text="Wedding and event type; deliveries that set a state go one at a time."
    )
    sets = ArrayField(models.TextField(), default=list, blank=True, help_text="The fields that the event sets.")
    has_turn = models.BooleanField(default=False, help_text="In flight, and the only one with its order key.")
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    state_reason = models.CharField(max_length=32, choices=Reason.choices, blank=True)
    next_attempt_at = models.DateTimeField(default=timezone.now, help_text="When it is due, by PostgreSQL's clock.")
    due_since = models.DateTimeField(
        default=timezone.now, help_text="The earliest time it could have been sent had nothing else blocked it."
    )
    hinted_at = models.DateTimeField(null=True, help_text="When the sweep last hinted it to a worker.")
    expires_at = models.DateTimeField()
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempt_count = models.PositiveIntegerField(default=0)
    request = models.JSONField(null=True, help_text="Frozen at the first attempt; contains no credentials.")
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
            models.UniqueConstraint(fields=["dedupe_key"], name="delivery_once"),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at", "system"], name="delivery_due", condition=WAITS),
            models.Index(fields=["system", "precedence", "next_attempt_at"], name="delivery_lane", condition=WAITS),
            models.Index(
                fields=["system", "precedence"],
                name="delivery_rate_limited",
                condition=Q(state="held", state_reason="rate_limited"),
            ),
            models.Index(
                fields=["system", "next_attempt_at"],
                name="delivery_paused",
                condition=Q(state="held", state_reason="system_paused"),
            ),
            models.Index(fields=["expires_at"], name="delivery_expires", condition=WAITS),
            models.Index(fields=["system", "lease_until"], name="delivery_leased", condition=Q(state="in_flight")),
            models.Index(fields=["system", "order_key", "event"], name="delivery_order", condition=~Q(order_key="")),
            models.Index(fields=["system", "-id"], name="delivery_of_system"),
            models.Index(fields=["organization", "-id"], name="delivery_newest"),
            models.Index(fields=["finished_at"], name="delivery_died", condition=Q(state="dead"), include=["system"]),
            models.Index(fields=["shaped_by"], name="delivery_shaped", condition=Q(shaped_by__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.channel} → {self.target} ({self.state})"

    @property
    def recipient(self) -> Recipient:
        """The person with their address, or the system; staff have an address but no contact."""
        if self.contact:
            return Recipient(self.contact.name, self.target)
        return Recipient(self.system.name, self.target if self.channel == ContactChannel.EMAIL else "")

    @staticmethod
    def key(
        event_id: uuid.UUID, kind: str, target: str, channel: str, *, plan_step: int = 0, generation: int = 0
    ) -> str:
        """The ``dedupe_key``: event, target kind, target or address, channel, plan step, generation."""
        return f"{event_id}:{kind}:{target}:{channel}:{plan_step}:{generation}"


class DeliveryReason(models.Model):
    """A route that requested a delivery."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="reasons")
    route = models.ForeignKey(Route, on_delete=models.SET_NULL, null=True, related_name="reasons")
    route_name = models.CharField(max_length=200, help_text="The route's name at that time.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "route"], name="reason_once")]

    def __str__(self) -> str:
        return self.route_name


class Attempt(models.Model):
    """One try of a delivery: when, how long, and its outcome."""

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
