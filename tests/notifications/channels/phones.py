"""A wedding whose people are told by the channels that the sandbox plays."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from integrations.models import Delivery
from integrations.routing.route_event import route
from integrations.sending import dispatch
from tests.factories import ContactFactory, RouteFactory
from tests.notifications.stored import stored
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Address, Contact, Wedding

PERSON = "+12025550101"
OUTAGE = {"kind": "power_outage", "description": "The hall is dark", "reported_by": "Tom"}


def person(wedding: Wedding, phone: str = PERSON, **rest: Any) -> Contact:
    made: Contact = ContactFactory(
        organization=wedding.organization, wedding=wedding, role="couple", phone=phone, **rest
    )
    Address.objects.create(
        organization=wedding.organization, channel="whatsapp", value=phone, consented_at=timezone.now()
    )
    return made


def to_couple(wedding: Wedding, **rest: Any) -> None:
    rest.setdefault("roles", ["couple"])
    organization = wedding.organization
    RouteFactory(organization=organization, channel_pattern="couple:dashboard:{id}", target="people", **rest)


def happened(wedding: Wedding, event_type: str = "payment.failed", payload: Any = None) -> ChannelEvent:
    event = stored(wedding, event_type, payload or {"amount": 100, "currency": "EUR", "reference": "R1"})
    route(event.id)
    return event


def work(event: ChannelEvent) -> None:
    """As the workers do it, until nothing more is due."""
    for _ in range(6):
        for row in Delivery.objects.filter(event=event, state="pending").order_by("id"):
            urgent = row.priority == "urgent"
            try:
                dispatch.serve(row.id, row.system_id, urgent=urgent)
            except dispatch.TryAgain:
                continue


def on(event: ChannelEvent, channel: str) -> Delivery:
    return Delivery.objects.filter(event=event, channel=channel).latest("generation")
