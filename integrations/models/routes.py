"""Where events go."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from integrations.models.systems import System
from wedsync.ids import new_id
from wedsync.live.catalogue import CATALOGUE
from wedsync.live.channels import check_pattern, check_template
from wedsync.weddings.models import Channel, Contact, Organization


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
        models.CharField(max_length=16, choices=Channel.choices),
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
        to_staff = self.channel_pattern.startswith("ops:")  # whose people are the organization's own staff
        if self.target == self.Target.PEOPLE and not (self.roles or self.contact or self.system or to_staff):
            errors["roles"] = "Name roles, a contact, or a team's Slack channel."
        if self.target == self.Target.LIVE and "channel_pattern" not in errors:
            try:
                check_template(self.live_channel, self.channel_pattern)
            except ValueError as error:
                errors["live_channel"] = str(error)
        if errors:
            raise ValidationError(errors)
