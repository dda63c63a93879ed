"""Routes with their conditions, as the API shows and accepts them."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as Unfit
from rest_framework import serializers

from integrations.models import Route, RouteCondition, System
from integrations.rules.conditions import Effect, Operator
from wedsync.api.base_views.owned import Choice, OwnedSerializer, PlainText, Reference
from wedsync.api.requests.bodies import RowBody
from wedsync.weddings.models import Contact, ContactChannel

MOST_CONDITIONS = 50


class ConditionShape(RowBody[RouteCondition]):
    """A comparison with a value of the event, and its effect where it is true."""

    operator = Choice(choices=Operator.choices, default=Operator.EQUALS)
    value = serializers.JSONField(required=False, allow_null=True, default=None, help_text="As the operator requires.")
    effect = Choice(choices=Effect.choices, default=Effect.REQUIRE)

    class Meta:
        model = RouteCondition
        fields = ("path", "operator", "value", "effect")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Validate as the admin does."""
        try:
            RouteCondition(**attrs).full_clean(exclude=["route"])
        except Unfit as error:
            raise serializers.ValidationError(error.message_dict) from error
        return attrs


class RouteShape(OwnedSerializer[Route]):
    """A route: channel pattern, event types and conditions on one side, a target on the other."""

    name = PlainText(max_length=200)
    event_types = serializers.ListField(
        child=serializers.CharField(max_length=64),
        max_length=100,
        required=False,
        help_text="Names, or patterns such as `booking.*`; empty: all.",
    )
    conditions = ConditionShape(many=True, required=False, max_length=MOST_CONDITIONS)  # type: ignore[call-arg]
    mapping = serializers.DictField(
        required=False, help_text='What is sent: {"their.field": "our.path", "fixed": {"const": 1}}.'
    )
    template = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=20_000,
        trim_whitespace=False,
        help_text="Alternatively, Jinja2 that renders JSON.",
    )
    target = Choice(choices=Route.Target.choices)
    system = Reference(System, allow_null=True, required=False, help_text="With `people`: a team's Slack channel.")
    roles = serializers.ListField(child=Choice(choices=Contact.Role.choices), max_length=20, required=False)
    contact = Reference(Contact, allow_null=True, required=False)
    channels = serializers.ListField(
        child=Choice(choices=ContactChannel.choices),
        max_length=10,
        required=False,
        help_text="Empty: each person's preference.",
    )

    class Meta:
        model = Route
        fields = (
            "id", "name", "active", "active_from", "active_until", "channel_pattern", "event_types", "conditions",
            "priority", "target", "system", "roles", "everyone", "contact", "channels", "live_channel", "echo",
            "mapping", "template",
        )  # fmt: skip

    def create(self, validated_data: dict[str, Any]) -> Route:
        """Create the route with its conditions."""
        route = super().create(validated_data)
        self._put_conditions(route, validated_data.get("conditions", ()))
        return route

    def update(self, instance: Route, validated_data: dict[str, Any]) -> Route:
        """Update the route; given conditions replace all earlier ones."""
        route = super().update(instance, validated_data)
        if "conditions" in validated_data:
            route.conditions.all().delete()
            self._put_conditions(route, validated_data["conditions"])
        return route

    def _put_conditions(self, route: Route, conditions: Any) -> None:
        RouteCondition.objects.bulk_create([RouteCondition(route=route, **each) for each in conditions])
        vars(route).get("_prefetched_objects_cache", {}).pop("conditions", None)
