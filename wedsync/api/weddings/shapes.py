"""What the endpoints of weddings, forms, journeys, tickets and health take and answer, for the API's description."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from integrations.models.breaker import BreakerState
from integrations.models.health import HealthStatus
from wedsync.api.requests.bodies import Body
from wedsync.live.channels import LONGEST_NAME, MOST_CHANNELS, check_name

_TIME = "Local at the venue, such as 16:00, without an offset."


class _Facts(serializers.Serializer[Any]):
    date = serializers.DateField(required=False)
    ceremony_time = serializers.CharField(required=False, help_text=_TIME)
    reception_time = serializers.CharField(required=False, help_text=_TIME)
    reception_end = serializers.CharField(required=False, help_text=f"{_TIME} Before the start: the next day.")
    venue_name = serializers.CharField(required=False, max_length=200)
    guest_count = serializers.IntegerField(required=False, min_value=0, max_value=100_000)
    capacity = serializers.IntegerField(required=False, min_value=0, max_value=100_000)


class WeddingChangesShape(_Facts):
    """The fields to change, at least one."""


class WeddingShape(_Facts):
    """A wedding; times are the venue's, and `null` where they are not known."""

    id = serializers.UUIDField()
    couple = serializers.CharField()
    timezone = serializers.CharField(help_text="The venue's, an IANA name.")


class AnswersShape(serializers.Serializer[Any]):
    """1 to 200 answers: question to a text, a number, a boolean or `null`."""

    answers = serializers.DictField(child=serializers.JSONField())


class AcceptedShape(serializers.Serializer[Any]):
    """The event that was published."""

    id = serializers.UUIDField()
    status = serializers.CharField(help_text="`accepted`")


class TicketChannelsShape(Body):
    """The only channels that the ticket opens; left out: all of the organization's."""

    channels = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_NAME), max_length=MOST_CHANNELS, required=False
    )

    def validate_channels(self, names: list[str]) -> list[str]:
        """Names as they can be."""
        try:
            return [check_name(name) for name in names]
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error


class TicketShape(serializers.Serializer[Any]):
    """A ticket for one socket, shown this once."""

    ticket = serializers.CharField()
    expires_at = serializers.DateTimeField()


class SystemHealthShape(serializers.Serializer[Any]):
    """How one system is doing. Figures are of the last hour; `null`: there are none."""

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
    """An alert that is open."""

    id = serializers.UUIDField()
    cause = serializers.CharField()
    text = serializers.CharField()
    system = serializers.UUIDField(allow_null=True)
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()


class HealthShape(serializers.Serializer[Any]):
    """How the organization's systems and queues are doing."""

    status = serializers.ChoiceField(HealthStatus.choices)
    score = serializers.IntegerField(min_value=0, max_value=100)
    why = serializers.ListField(child=serializers.CharField())
    taken_at = serializers.DateTimeField(allow_null=True, help_text="When the figures were taken.")
    oldest_due_seconds = serializers.FloatField()
    queues = serializers.DictField(child=serializers.IntegerField(), help_text="Waiting deliveries by priority.")
    unlinked = serializers.IntegerField(help_text="Events that wait for a wedding; 10000 means as many or more.")
    systems = SystemHealthShape(many=True)
    alerts = AlertShape(many=True)
