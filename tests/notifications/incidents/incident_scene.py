"""A wedding whose emergencies go to its people and its team, and what was made for whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import Delivery, System
from integrations.routing.route_event import route
from integrations.states import State
from notifications.incidents import opening
from notifications.models import Incident
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

EVERYONE = {(name, channel) for name in ("Clara", "Dora", "Anna") for channel in ("whatsapp", "email")}
OUTAGE = {"kind": "power_outage", "description": "The hall is dark", "reported_by": "Tom"}


@dataclass(frozen=True)
class Scene:
    """Clara is called first, Dora second; Anna of the couple is only told. ``team``: the coordinators' Slack."""

    wedding: Wedding
    clara: Contact
    dora: Contact
    anna: Contact
    team: System

    def report(self, **said: str) -> ChannelEvent:
        """An emergency, routed."""
        event = stored(self.wedding, opening.REPORTED, OUTAGE | said)
        route(event.id)
        return event

    @property
    def incident(self) -> Incident:
        """The one that there is."""
        return Incident.objects.select_related("wedding", "event").get(wedding=self.wedding)


def make_scene(**of_wedding: Any) -> Scene:
    """All of it, with mail and WhatsApp, and the owner as staff."""
    wedding = WeddingFactory(**of_wedding)
    mine: dict[str, Any] = {"organization": wedding.organization}
    for kind in (System.Kind.WHATSAPP, System.Kind.EMAIL):
        SystemFactory(**mine, kind=kind)
    team = SystemFactory(**mine, kind=System.Kind.SLACK, name="Coordinators")
    people = [
        ContactFactory(**mine, wedding=wedding, name=name, role=role, call_order=order)
        for name, role, order in [("Clara", "coordinator", 1), ("Dora", "venue", 2), ("Anna", "couple", None)]
    ]
    for person in people:
        Address.objects.create(**mine, channel="whatsapp", value=person.phone, consented_at=timezone.now())
    for target in ({"everyone": True}, {"system": team}):
        RouteFactory(
            **{**mine, "system": None, **target}, channel_pattern="couple:dashboard:{id}", target="people",
            event_types=["venue.*"],
        )  # fmt: skip
    MembershipFactory(**mine, user=UserFactory(email="owner@people.example"))
    return Scene(wedding, *people, team)


def due_now(incident: Incident) -> None:
    """Let the time of the next step have come."""
    Incident.objects.filter(id=incident.id).update(next_step_at=Now())


def live(**of: Any) -> list[Delivery]:
    """Deliveries that went out, or wait to."""
    rows = Delivery.objects.filter(**of).exclude(state__in=[State.SKIPPED, State.CANCELLED])
    return list(rows.select_related("event", "contact", "system").order_by("id"))


def whom(deliveries: list[Delivery]) -> set[tuple[str, str]]:
    """Who, on which channel."""
    return {(each.contact.name if each.contact else each.target, each.channel) for each in deliveries}


def everybody(scene: Scene) -> set[tuple[str, str]]:
    """All whom an emergency reaches, as :func:`whom` names them."""
    return EVERYONE | {(str(scene.team.id), "slack")}
