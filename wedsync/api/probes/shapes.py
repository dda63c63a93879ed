"""Answers of the health endpoint, for the API's description."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from integrations.models.breaker_changes import BreakerState
from integrations.models.health import HealthStatus


class SystemHealthShape(serializers.Serializer[Any]):
    """One system's health. Figures are for the last hour; `null`: there are none."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.CharField()
    state = serializers.CharField()
    state_reason = serializers.CharField()
    status = serializers.ChoiceField(HealthStatus.choices)
    score = serializers.IntegerField(min_value=0, max_value=100)
    why = serializers.ListField(child=serializers.CharField())
    breaker = serializers.ChoiceField(BreakerState.choices)
    success_rate = serializers.FloatField(allow_null=True, help_text="Percent.")
    attempts = serializers.IntegerField()
    oldest_due_seconds = serializers.FloatField(allow_null=True)
    waiting = serializers.IntegerField()
    held = serializers.IntegerField()
    dead = serializers.IntegerField(help_text="Given up in 24 hours.")
    last_success_at = serializers.DateTimeField(allow_null=True)
    last_failure_at = serializers.DateTimeField(allow_null=True)


class AlertShape(serializers.Serializer[Any]):
    """An open alert."""

    id = serializers.UUIDField()
    cause = serializers.CharField()
    text = serializers.CharField()
    system = serializers.UUIDField(allow_null=True)
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()


class HealthShape(serializers.Serializer[Any]):
    """The health of the organization's systems and queues."""

    status = serializers.ChoiceField(HealthStatus.choices)
    score = serializers.IntegerField(min_value=0, max_value=100)
    why = serializers.ListField(child=serializers.CharField())
    taken_at = serializers.DateTimeField(allow_null=True, help_text="When the figures were taken.")
    oldest_due_seconds = serializers.FloatField()
    queues = serializers.DictField(child=serializers.IntegerField(), help_text="Waiting deliveries by priority.")
    unlinked = serializers.IntegerField(help_text="Events that wait for a wedding; 10000 means 10000 or more.")
    systems = SystemHealthShape(many=True)
    alerts = AlertShape(many=True)
