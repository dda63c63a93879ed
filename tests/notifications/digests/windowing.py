"""A wedding whose people hear of everything, and events for it, routed for real."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from integrations.models import Delivery, Route, System
from integrations.routing import route_event
from notifications.digests import closing
from notifications.models import Window, WindowEntry
from tests.factories import AddressFactory, ContactFactory, RouteFactory, SystemFactory
from wedsync.live.log.writer import NewEvent, append
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Contact, Wedding

MILESTONE = "journey.milestone_reached"


def person(wedding: Wedding, **rest: Any) -> Contact:
    """Reached by WhatsApp and by mail, at any hour."""
    made: Contact = ContactFactory(organization=wedding.organization, wedding=wedding, role="couple", **rest)
    AddressFactory(organization=wedding.organization, value=made.phone)
    return made


def route_to_people(wedding: Wedding, **rest: Any) -> Route:
    for kind in (System.Kind.WHATSAPP, System.Kind.EMAIL):
        SystemFactory(organization=wedding.organization, kind=kind)
    values = {"roles": ["couple"], "channels": ["email"], "system": None, "name": "To the couple"}
    made: Route = RouteFactory(
        organization=wedding.organization,
        channel_pattern="couple:dashboard:{id}",
        target=Route.Target.PEOPLE,
        **values | rest,
    )
    return made


def stored(wedding: Wedding, event_type: str, payload: dict[str, Any], **rest: Any) -> ChannelEvent:
    with transaction.atomic():
        (event,) = append(
            [
                NewEvent(
                    wedding.organization_id,
                    wedding.id,
                    event_type,
                    payload,
                    timezone.now(),
                    ChannelEvent.Source.API,
                    [f"couple:dashboard:{wedding.id}"],
                    **rest,
                )
            ]
        )
    return event


def routed(wedding: Wedding, event_type: str, payload: dict[str, Any], **rest: Any) -> ChannelEvent:
    event = stored(wedding, event_type, payload, **rest)
    route_event.route(event.id)
    return event


def milestone(wedding: Wedding, name: str = "Venue booked") -> ChannelEvent:
    """Low."""
    return routed(wedding, MILESTONE, {"milestone": name, "progress": 40})


def guests(wedding: Wedding, count: int, previous: int | None = None) -> ChannelEvent:
    """Normal."""
    return routed(wedding, "guest_count.changed", {"guest_count": count, "previous": previous})


def of(event: ChannelEvent, channel: str = "email") -> Delivery:
    return Delivery.objects.get(event=event, channel=channel, dedupe_key__startswith=f"{event.id}:")


def fate(event: ChannelEvent, channel: str = "email") -> tuple[str, str]:
    delivery = of(event, channel)
    return delivery.state, delivery.state_reason


def carrier(event: ChannelEvent) -> Delivery | None:
    """The delivery that tells what a gathered one was to tell."""
    return WindowEntry.objects.select_related("window__delivery").get(delivery=of(event)).window.delivery


def digests() -> list[Delivery]:
    return list(Delivery.objects.filter(dedupe_key__contains=":digest:").order_by("id"))


def let_time_pass() -> int:
    """As if every window's time were over; returns how many were closed."""
    Window.objects.filter(closed_at=None).update(closes_at=timezone.now() - timedelta(seconds=1))
    return closing.close_due()
