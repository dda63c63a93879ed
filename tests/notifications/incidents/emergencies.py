"""A wedding with people and ways to reach them, for tests of emergencies."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from integrations.models import System
from integrations.routing.route_event import route
from tests.factories import (
    ContactFactory,
    MembershipFactory,
    RouteFactory,
    SystemFactory,
    UserFactory,
    WeddingFactory,
)
from tests.notifications.stored import stored
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Address, Contact, Wedding

REPORTED = "venue.emergency_reported"


@dataclass(frozen=True)
class Stage:
    """A wedding whose emergencies go to everyone, and to a team on Slack."""

    wedding: Wedding
    clara: Contact  # first in the call order
    tom: Contact  # second
    anna: Contact  # of the couple
    team: System

    def report(self, description: str = "The hall is dark", **rest: Any) -> ChannelEvent:
        """A report, routed."""
        payload = {"kind": "power_outage", "description": description, "reported_by": "Tom Berger", **rest}
        event = stored(self.wedding, REPORTED, payload)
        route(event.id)
        return event


def set_stage() -> Stage:
    """Everything of one organization."""
    wedding: Wedding = WeddingFactory()
    organization = wedding.organization
    for kind in (System.Kind.WHATSAPP, System.Kind.EMAIL):
        SystemFactory(organization=organization, kind=kind)
    team = SystemFactory(organization=organization, kind=System.Kind.SLACK, name="#wedding-coordination")
    MembershipFactory(organization=organization, user=UserFactory(email="owner@people.example"), role="owner")
    common = {"organization": organization, "channel_pattern": "couple:dashboard:{id}", "event_types": [REPORTED]}
    RouteFactory(**common, name="Everyone", target="people", everyone=True, channels=["whatsapp", "email"])
    RouteFactory(**common, name="Team", target="people", system=team, channels=["slack"])
    people = [
        _person(wedding, "Clara Moser", "coordinator", 1),
        _person(wedding, "Tom Berger", "venue", 2),
        _person(wedding, "Anna Gruber", "couple", None),
    ]
    return Stage(wedding, *people, team)


def _person(wedding: Wedding, name: str, role: str, call_order: int | None) -> Contact:
    made: Contact = ContactFactory(
        organization=wedding.organization, wedding=wedding, name=name, role=role, call_order=call_order
    )
    Address.objects.get_or_create(
        organization=wedding.organization,
        channel="whatsapp",
        value=made.phone,
        defaults={"consented_at": timezone.now(), "consent_source": "contact sheet"},
    )
    return made
