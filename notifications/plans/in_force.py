"""The plan that a category's events follow in an organization: its own, else the shipped one."""

from uuid import UUID

from notifications.models import Plan
from notifications.rules.plan_steps import Step, parse, shipped


def plan_of(organization_id: UUID, category: str) -> tuple[Step, ...]:
    """The organization's own plan for a category, else the shipped one."""
    own = Plan.objects.filter(organization_id=organization_id, category=category).first()
    return parse(own.steps, category) if own else shipped(category)
