"""Routes: where events go."""

from __future__ import annotations

import json

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Func, Q

from integrations.models.systems import System
from integrations.rules import conditions, event_filters, transforms
from integrations.rules.conditions import Effect, Operator
from integrations.rules.facts import LONGEST_PATH, check_path
from integrations.rules.transforms import CannotTransform, Transform
from wedsync.ids import new_id
from wedsync.live.channels import check_pattern, check_template
from wedsync.queues import Priority
from wedsync.templating.filters import CannotRender
from wedsync.weddings.models import Contact, ContactChannel, Organization

PRIORITIES = [(priority.value, priority.label) for priority in Priority if priority != Priority.URGENT]


class MatchKeys(Func):
    """The keys under which a route is found. The function is defined in the migration that made the column."""

    function = "route_match_keys"
    output_field = ArrayField(models.TextField())


class Route(models.Model):
    """Where events go: channel pattern, event types and conditions on one side, a target on the other."""

    class Target(models.TextChoices):
        SYSTEM = "system", "A system"
        PEOPLE = "people", "People"
        LIVE = "live", "A live channel"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="routes")
    name = models.CharField(max_length=200)
    active = models.BooleanField(default=True)
    channel_pattern = models.CharField(max_length=194, help_text="For example supplier:dashboard:{supplierId}.")
    event_types = ArrayField(
        models.CharField(max_length=64),
        default=list,
        blank=True,
        help_text="Names, or patterns such as booking.*; empty: all.",
    )
    active_from = models.DateTimeField(null=True, blank=True, help_text="Only for events received from this time on.")
    active_until = models.DateTimeField(null=True, blank=True, help_text="Only for events received before this time.")
    priority = models.CharField(
        max_length=8,
        choices=PRIORITIES,
        blank=True,
        default="",
        help_text="Deliveries have at least this priority; empty: the event's.",
    )
    mapping = models.JSONField(
        default=dict, blank=True, help_text='The fields to send: {"their.field": "our.path", "fixed": {"const": 1}}.'
    )
    template = models.TextField(blank=True, default="", help_text="Or a Jinja2 template that produces a JSON object.")
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
        help_text="For people: roles in the wedding, separated by commas.",
    )
    everyone = models.BooleanField(default=False, help_text="Everyone involved in the wedding, regardless of role.")
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, null=True, blank=True, related_name="routes", help_text="One named person."
    )
    channels = ArrayField(
        models.CharField(max_length=16, choices=ContactChannel.choices),
        default=list,
        blank=True,
        help_text=f"{', '.join(ContactChannel.values)}; empty: the channel that each person prefers.",
    )
    live_channel = models.CharField(
        max_length=194, blank=True, help_text="For a live channel: its name; {name} is filled in from the pattern."
    )
    echo = models.BooleanField(default=False, help_text="Also send back to the system that the event came from.")
    match_keys = models.GeneratedField(
        expression=MatchKeys(F("organization"), F("channel_pattern"), F("event_types")),
        output_field=ArrayField(models.TextField()),
        db_persist=True,
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(priority__in=["", *dict(PRIORITIES)]), name="route_priority_known"),
            models.CheckConstraint(
                condition=Q(active_from__isnull=True)
                | Q(active_until__isnull=True)
                | Q(active_from__lt=F("active_until")),
                name="route_window_not_empty",
                violation_error_message="The window ends before it begins.",
            ),
            models.CheckConstraint(condition=Q(target__in=["system", "people", "live"]), name="route_target_known"),
            models.CheckConstraint(condition=~Q(target="system") | Q(system__isnull=False), name="route_has_system"),
        ]
        indexes = [
            models.Index(fields=["organization", "active"], name="route_by_organization"),
            GinIndex(fields=["match_keys"], name="route_by_match_keys", condition=Q(active=True)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def transform(self) -> Transform | None:
        """The transform of events; ``None``: they are sent as they are."""
        if not self.mapping and not self.template:
            return None
        return Transform(self.mapping, self.template, for_people=self.target == self.Target.PEOPLE)

    def clean(self) -> None:
        """Refuse, by field, a route that could never match or send."""
        errors: dict[str, str] = {}
        try:
            check_pattern(self.channel_pattern)
        except ValueError as error:
            errors["channel_pattern"] = str(error)
        try:
            event_filters.check(self.event_types or ())
        except ValueError as error:
            errors["event_types"] = str(error)
        if self.active_from and self.active_until and self.active_from >= self.active_until:
            errors["active_until"] = "The window ends before it begins."
        self._check_target(errors)
        if "event_types" not in errors:
            self._check_transform(errors)
        if errors:
            raise ValidationError(errors)

    def _check_target(self, errors: dict[str, str]) -> None:
        if self.target == self.Target.SYSTEM and self.system is None:
            errors["system"] = "Choose the system that receives the events."
        to_staff = self.channel_pattern.startswith("ops:")  # its people are the organization's own staff
        somebody = self.roles or self.everyone or self.contact or self.system or to_staff
        if self.target == self.Target.PEOPLE and not somebody:
            errors["roles"] = "Name roles, a contact, or a team's Slack channel."
        if self.target == self.Target.LIVE and "channel_pattern" not in errors:
            try:
                check_template(self.live_channel, self.channel_pattern)
            except ValueError as error:
                errors["live_channel"] = str(error)

    def _check_transform(self, errors: dict[str, str]) -> None:
        if self.transform is None:
            return
        name = "template" if self.template else "mapping"
        if self.template and self.mapping:
            errors[name] = "Give a mapping or a template, not both."
        elif self.target == self.Target.LIVE:
            errors[name] = "A live channel shows the event as it is."
        else:
            types, people = event_filters.accepted_types(self.event_types or ()), self.target == self.Target.PEOPLE
            try:
                if self.template:
                    transforms.check_template(self.template, types, for_people=people)
                else:
                    transforms.check_mapping(self.mapping, types, for_people=people)
            except (CannotTransform, CannotRender) as error:
                errors[name] = str(error)


class RouteCondition(models.Model):
    """One comparison with a value of an event, and its effect if it holds."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="conditions")
    path = models.CharField(
        max_length=LONGEST_PATH, help_text="For example guest_count, extra.hall, changes.*.field, event.source."
    )
    operator = models.CharField(max_length=16, choices=Operator.choices, default=Operator.EQUALS)
    value = models.JSONField(null=True, blank=True, help_text="As JSON; a plain word counts as text.")
    effect = models.CharField(max_length=16, choices=Effect.choices, default=Effect.REQUIRE)

    class Meta:
        ordering = ("path", "id")
        constraints = [
            models.CheckConstraint(condition=Q(operator__in=Operator.values), name="condition_operator_known"),
            models.CheckConstraint(condition=Q(effect__in=Effect.values), name="condition_effect_known"),
        ]

    def __str__(self) -> str:
        return f"{self.path} {self.get_operator_display()} {json.dumps(self.value, ensure_ascii=False)}"

    def clean(self) -> None:
        """Refuse, by field, a condition that could never hold."""
        errors: dict[str, str] = {}
        try:
            check_path(self.path or "")
        except ValueError as error:
            errors["path"] = f"{error}."
        try:
            conditions.check_value(self.operator, self.value)
        except ValueError as error:
            errors["value"] = str(error)
        if errors:
            raise ValidationError(errors)
