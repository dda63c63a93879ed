"""An organization whose systems tell each other of bookings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from integrations.models import Delivery, System
from integrations.routing import route_event
from tests.factories import ExternalReferenceFactory, RouteFactory, SystemFactory, WeddingFactory
from wedsync.live.log.writer import NewEvent, append
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Wedding

CONFIRMED = {"status": "confirmed", "notes": "Table 5"}


class House:
    """A wedding and two systems that know it, with a route each way."""

    def __init__(self, first: str = "venue_master", second: str = "studio_cloud", **route: Any) -> None:
        self.wedding: Wedding = WeddingFactory()
        self.first, self.second = self.add(first, "VM-1", **route), self.add(second, "SC-9", **route)

    def add(self, kind: str, booking: str, **route: Any) -> System:
        """One more system, told of everything that it takes."""
        mine = {"organization": self.wedding.organization}
        system: System = SystemFactory(**mine, kind=kind)
        ExternalReferenceFactory(**mine, system=system, wedding=self.wedding, external_id=booking)
        types = ["booking.*", "venue.*", "gallery.*", "payment.*", "guest_count.changed", "client.updated"]
        RouteFactory(
            **mine, channel_pattern="couple:dashboard:{id}", target="system", system=system, event_types=types, **route
        )
        return system

    def says(self, system: System | None, event_type: str, payload: dict[str, Any], ago: float = 0) -> list[Delivery]:
        """A system tells us something, or our own people do; what is made of it. ``ago``: seconds."""
        with transaction.atomic():
            (event,) = append(
                [
                    NewEvent(
                        self.wedding.organization_id,
                        self.wedding.id,
                        event_type,
                        payload,
                        timezone.now(),
                        ChannelEvent.Source.WEBHOOK if system else ChannelEvent.Source.API,
                        [f"couple:dashboard:{self.wedding.id}"],
                        source_system_id=system.id if system else None,
                    )
                ]
            )
        route_event.route(event.id)
        made = list(Delivery.objects.filter(event=event))
        if ago:
            self.grow_older(event, ago)
        return made

    def grow_older(self, event: ChannelEvent, seconds: float) -> None:
        """As if the event had come so long before: its id holds its time."""
        older = UUID(int=event.id.int - (int(seconds * 1000) << 80))
        ChannelEvent.objects.filter(id=event.id).update(received_at=timezone.now() - timedelta(seconds=seconds))
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            cursor.execute("UPDATE live_channelevent SET id = %s WHERE id = %s", [older, event.id])
            cursor.execute("UPDATE integrations_delivery SET event_id = %s WHERE event_id = %s", [older, event.id])
            cursor.execute("UPDATE live_channelentry SET event_id = %s WHERE event_id = %s", [older, event.id])


def booking(system_id: str, **said: Any) -> dict[str, Any]:
    return {"booking_id": system_id, **CONFIRMED, **said}
