"""Alerts that are raised, and the events that tell of them."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from integrations.health import alerts
from integrations.models import Alert, Route, System
from integrations.models.health import Cause
from tests.factories import RouteFactory, SystemFactory
from wedsync.live.models import ChannelEvent

LATER = timedelta(minutes=61)


def told(event_type: str = alerts.RAISED) -> list[ChannelEvent]:
    return list(ChannelEvent.objects.filter(type=event_type).order_by("id"))


def raised(system: System, cause: Cause = Cause.SYSTEM_CRITICAL) -> bool:
    return alerts.raise_alert(system.organization_id, cause, "It is ill.", system=system)


def staff_route(**rest: Any) -> Route:
    slack = SystemFactory(kind=System.Kind.SLACK, organization=rest.get("organization") or SystemFactory().organization)
    made: Route = RouteFactory(
        **{
            "organization": slack.organization,
            "channel_pattern": "ops:health:{orgId}",
            "target": Route.Target.PEOPLE,
            "system": slack,
        }
        | rest
    )
    return made


def let_an_hour_pass() -> None:
    Alert.objects.update(told_at=timezone.now() - LATER)
