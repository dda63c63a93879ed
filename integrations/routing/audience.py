"""Whom a change or an emergency would reach, and how: for staff to read before they act. Reads only.

It is planned like a real event (:mod:`integrations.routing.planning`), except that conditions on a new value are
checked against the present one. Deliveries that quiet hours would hold are shown as held.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from integrations.references import suppliers
from integrations.registry.senders import SYSTEM_CHANNEL
from integrations.registry.targets import PlannedDelivery
from integrations.routing import planning
from integrations.routing.matching import EventFacts
from integrations.states import Reason
from wedsync.live.channels import names_for
from wedsync.live.event_types.catalogue import type_of
from wedsync.live.models import ChannelEvent
from wedsync.weddings.fields import as_json
from wedsync.weddings.models import ContactChannel, Wedding

_MOST = 200


@dataclass(frozen=True)
class Reached:
    """One person, team or system, by one channel. ``but``: why nothing will go there, or not yet."""

    name: str
    by: str
    but: str = ""


def of_changes(wedding: Wedding) -> list[tuple[str, list[Reached]]]:
    """For each part of a wedding whose changes are published: its name, and whom a change would reach."""
    at, values = timezone.now(), {name: as_json(getattr(wedding, name)) for name in _FIELDS}
    known = {name: value for name, value in values.items() if value is not None}
    starts = known.get("ceremony_time", "12:00")
    listed = [{"field": "ceremony_time", "before": values["ceremony_time"], "after": starts}]
    parts: Sequence[tuple[str, str, Mapping[str, Any]]] = (
        ("Times and venue", "timeline.updated", {"changes": listed}),
        ("Guest count", "guest_count.changed", {"guest_count": known.get("guest_count", 0)}),
        ("Capacity", "venue.capacity_updated", {"capacity": known.get("capacity", 0)}),
        ("Date", "wedding.date_changed", {"date": known["date"], "previous": known["date"]}),
    )
    return [(name, of_event(wedding, event_type, payload, at)) for name, event_type, payload in parts]


def of_event(wedding: Wedding, event_type: str, payload: Mapping[str, Any], at: datetime) -> list[Reached]:
    """Whom an event of a wedding would reach."""
    whole = {"wedding_id": str(wedding.id), **payload}
    event = ChannelEvent(
        organization_id=wedding.organization_id,
        wedding=wedding,
        type=event_type,
        payload=whole,
        occurred_at=at,
        received_at=at,
        source=ChannelEvent.Source.API,
        priority=type_of(event_type).priority,
        effect=ChannelEvent.Effect.APPLIED,
    )
    names = names_for(
        event_type,
        organization_id=wedding.organization_id,
        wedding_id=wedding.id,
        supplier_ids=suppliers.of_weddings([wedding.id])[wedding.id],
        payload=whole,
    )
    plan = planning.work_out(EventFacts.of(event, names), at)
    return reached(each.planned for each in plan.requested.values())


def reached(deliveries: Iterable[PlannedDelivery]) -> list[Reached]:
    """Planned deliveries as people read them, sorted by name."""
    found = {(each.name or each.system.name, _way(each), _but(each)) for each in deliveries}
    return [Reached(*each) for each in sorted(found)[:_MOST]]


def _way(planned: PlannedDelivery) -> str:
    return "its own interface" if planned.channel == SYSTEM_CHANNEL else ContactChannel(planned.channel).label


def _but(planned: PlannedDelivery) -> str:
    if planned.skipped:
        return f"not sent: {Reason(planned.skipped).label.lower()}"
    return f"held until {planned.held_until:%H:%M} UTC" if planned.held_until else ""


_FIELDS = ("date", "ceremony_time", "guest_count", "capacity")
