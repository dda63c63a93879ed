"""A company whose venue sends emergencies, and the staff who are told of those without a wedding."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from integrations.models import Connection, Delivery, System
from integrations.routing.route_event import route
from integrations.states import State
from notifications.incidents import opening
from notifications.models import Incident
from tests.factories import (
    ConnectionFactory,
    EventFactory,
    ExternalReferenceFactory,
    MembershipFactory,
    RouteFactory,
    SystemFactory,
    UserFactory,
    WeddingFactory,
)
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Organization, Wedding

SMOKE = {"kind": "fire", "description": "Smoke in the cellar", "reported_by": "Front desk"}


@dataclass
class House:
    """A company with a coordination Slack, an owner and a member of support; its venue's system sends emergencies."""

    organization: Organization
    system: System
    connection: Connection
    team: System

    def wedding(self, days: int = 0, *, known: bool = True, zone: str = "Europe/Vienna", **of: Any) -> Wedding:
        """One that is so many days from today at its venue; ``known``: to the system."""
        from zoneinfo import ZoneInfo

        today = timezone.now().astimezone(ZoneInfo(zone)).date()
        made = WeddingFactory(
            organization=self.organization, date=today + timedelta(days=days), timezone=zone, venue_name="Seehof", **of
        )
        if known:
            ExternalReferenceFactory(
                organization=self.organization, system=self.system, wedding=made, external_id=f"B-{made.id}"
            )
        return made

    def report(self, **said: Any) -> ChannelEvent:
        """An emergency without a wedding, as the receiver stores it, and routed."""
        event = EventFactory(
            organization=self.organization,
            wedding=None,
            type=opening.REPORTED,
            payload=SMOKE | said,
            priority="urgent",
            routing="unlinked",
            source="webhook",
            source_system_id=self.system.id,
            source_connection_id=self.connection.id,
        )
        route(event.id)
        event.refresh_from_db()
        return event

    @property
    def asked(self) -> Incident:
        """The incident without a wedding."""
        return Incident.objects.select_related("event", "suggested_wedding").get(
            organization=self.organization, wedding=None
        )

    def told(self, event: ChannelEvent, **of: Any) -> set[tuple[str, str]]:
        """Who of staff was told of an event."""
        rows = Delivery.objects.filter(event=event, **of).exclude(state__in=[State.SKIPPED, State.CANCELLED])
        return {(each.channel, "team" if each.system_id == self.team.id else each.target) for each in rows}


def a_house() -> House:
    """Staff on Slack and by email, and a venue that is connected."""
    connection = ConnectionFactory()
    mine: dict[str, Any] = {"organization": connection.organization}
    SystemFactory(**mine, kind=System.Kind.EMAIL)
    team = SystemFactory(**mine, kind=System.Kind.SLACK, name="Coordination")
    RouteFactory(
        **mine, system=team, target="people", channel_pattern="urgent:wedding-day:{orgId}",
        event_types=["venue.emergency_reported"],
    )  # fmt: skip
    for role in ("owner", "support"):
        MembershipFactory(**mine, role=role, user=UserFactory(email=f"{role}@people.example"))
    MembershipFactory(**mine, role="planner", user=UserFactory(email="planner@people.example"))
    return House(connection.organization, connection.system, connection, team)
