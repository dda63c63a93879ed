"""How a category's notifications go from channel to channel, and from person to person."""

from django.core.exceptions import ValidationError
from django.db import models

from notifications.models.preferences import CATEGORIES
from notifications.rules.plan_steps import parse
from wedsync.ids import new_id
from wedsync.weddings.models import Organization


class Plan(models.Model):
    """An organization's own plan for a category; without one, the shipped plan applies."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="plans")
    category = models.CharField(max_length=16, choices=CATEGORIES)
    steps = models.JSONField(
        help_text='Such as [{"channels": ["preferred"], "until": "delivered"}, {"channels": ["other"]}]. '
        "docs/staff/notifications.md explains the words."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "category"], name="plan_once")]

    def __str__(self) -> str:
        return f"{self.category} of {self.organization}"

    def clean(self) -> None:
        """Refuse a plan that could never run, at the field."""
        try:
            parse(self.steps, self.category)
        except ValueError as error:
            raise ValidationError({"steps": str(error)}) from error
