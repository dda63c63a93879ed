"""Deliveries and their attempts, as the API shows them."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from integrations.deliveries import frozen_requests
from integrations.models import Attempt, Delivery, DeliveryReason


class AttemptShape(serializers.ModelSerializer[Attempt]):
    """One attempt. `outcome: unknown`: the request was sent, and no answer was received."""

    class Meta:
        model = Attempt
        fields = (
            "id", "delivery", "number", "started_at", "milliseconds", "outcome", "status_code", "error_class", "error",
            "response_excerpt",
        )  # fmt: skip
        read_only_fields = fields


class ReasonShape(serializers.ModelSerializer[DeliveryReason]):
    """A route that caused the delivery; `route` is `null` when it was deleted."""

    class Meta:
        model = DeliveryReason
        fields = ("route", "route_name")
        read_only_fields = fields


class DeliveryShape(serializers.ModelSerializer[Delivery]):
    """One thing going to one target."""

    event_type = serializers.CharField(source="event.type")
    wedding = serializers.UUIDField(source="event.wedding_id", allow_null=True)
    recipient = serializers.SerializerMethodField()

    class Meta:
        model = Delivery
        fields = (
            "id", "event", "event_type", "wedding", "system", "contact", "recipient", "channel", "target", "priority",
            "state", "state_reason", "generation", "may_duplicate", "attempt_count", "next_attempt_at", "expires_at",
            "created_at", "finished_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_recipient(self, delivery: Delivery) -> str:
        """The name of the person or the system."""
        return delivery.recipient.name


class FrozenRequest(serializers.Serializer[object]):
    """The bytes that every attempt sends; credentials are added to each call and stored nowhere."""

    method = serializers.CharField()
    path = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())
    body = serializers.CharField()


class WholeDeliveryShape(DeliveryShape):
    """A delivery with the reasons why it exists, what it sends, and every attempt."""

    request = serializers.SerializerMethodField()
    reasons = ReasonShape(many=True)
    attempts = serializers.SerializerMethodField()

    class Meta:
        model = Delivery
        fields = (*DeliveryShape.Meta.fields, "request", "reasons", "attempts")
        read_only_fields = fields

    @extend_schema_field(FrozenRequest(allow_null=True))
    def get_request(self, delivery: Delivery) -> dict[str, object] | None:
        """The frozen request, without an email's sender."""
        return frozen_requests.shown(delivery)

    @extend_schema_field(AttemptShape(many=True))
    def get_attempts(self, delivery: Delivery) -> list[dict[str, object]]:
        """The attempts, the first one first."""
        rows = sorted(delivery.attempts.all(), key=lambda attempt: attempt.number)
        return [dict(AttemptShape(row).data) for row in rows]
