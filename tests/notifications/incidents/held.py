"""Emergencies that a paused connection holds, or that are refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import Delivery
from integrations.routing.route_event import route
from integrations.systems import lifecycle
from notifications.incidents import opening, staff_calls
from notifications.incidents.emergency_reports import Report, Trouble
from notifications.incidents.unplaced import tell_staff
from notifications.models import Incident
from tests.factories import EventFactory
from tests.notifications.houses import SMOKE, House
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Wedding


def hold(house: House, wedding: Wedding, external_id: str = "E-1", **said: str) -> ChannelEvent:
    """An emergency of a wedding, as the receiver stores it at a paused connection; staff are told."""
    event: ChannelEvent = EventFactory(
        organization=house.organization, wedding=wedding, type=opening.REPORTED, payload=SMOKE | said,
        priority="urgent", routing="held", source="webhook", source_system_id=house.system.id,
        source_connection_id=house.connection.id,
    )  # fmt: skip
    told = SMOKE | said
    of: dict[str, Any] = {name: told[name] for name in ("kind", "description", "reported_by")}
    assert tell_staff(
        Report(
            house.organization.id, house.connection.id, Trouble.HELD, "It is paused.", external_id,
            wedding_id=wedding.id, event_id=event.id, **of,
        )
    )  # fmt: skip
    return event


def refuse(house: House, description: str) -> None:
    """A refused emergency, of which staff are told by the same incident."""
    tell_staff(
        Report(
            house.organization.id, house.connection.id, Trouble.REFUSED, "It is a year old.", "R-1", kind="flood",
            description=description,
        )
    )  # fmt: skip


def resume(house: House, *events: ChannelEvent) -> None:
    """Staff resume the connection, and workers route what it held."""
    lifecycle.resume_connection(house.connection)
    for event in events:
        route(event.id)


def a_minute_later(incident: Incident) -> bool:
    """Whether staff are called again when the time of the next call has come."""
    Delivery.objects.filter(event=incident.event, state="pending").update(state="succeeded", attempt_count=1)
    Incident.objects.filter(id=incident.id).update(told_at=timezone.now() - timedelta(minutes=2))
    Incident.objects.filter(id=incident.id, staff_due_at__isnull=False).update(staff_due_at=Now())
    return staff_calls.call(incident.id)


def of_staff() -> int:
    """How many messages were made for staff."""
    return Delivery.objects.filter(event__type=opening.WEDDING_UNKNOWN).count()
