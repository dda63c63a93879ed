"""One event of each type, and what is known of its wedding and client: the calls of docs/vendors/ are made of these."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from integrations.vendors.base import Client, Outgoing
from wedsync.live.models import ChannelEvent

WEDDING = UUID("01977f00-0000-7000-8000-0000000000a1")
ORGANIZATION = UUID("01977f00-0000-7000-8000-0000000000b1")
BOOKINGS = {
    "studio_cloud": "SC-204",
    "shootq": "JOB-31",
    "iris_works": "PR-52",
    "venue_master": "BK-77",
    "party_rental": "PR-8",
}
BOOKING = {"booking_id": "X-1", "status": "on hold", "date": "2027-06-20", "notes": "Second shooter"}
WORK = {"starts_at": "2027-06-20T09:00:00+02:00", "requirements": "12 round tables", "space": "Garden"}
GALLERY = {"gallery_url": "https://gallery.example/anna-ben", "photo_count": 640}
PAYMENT = {"amount": "1200.50", "currency": "EUR", "reference": "2027-118"}
ALERT = {"alert_id": "01977f00-0000-7000-8000-0000000000e1", "cause": "sweep_silent", "text": "No sign of life."}
PAYLOADS: dict[str, dict[str, Any]] = {
    "timeline.updated": {"changes": [{"field": "ceremony_time", "before": "15:00", "after": "16:00"}]},
    "guest_count.changed": {"guest_count": 120, "previous": 110},
    "booking.created": BOOKING,
    "booking.updated": BOOKING,
    "booking.confirmed": BOOKING,
    "booking.cancelled": BOOKING,
    "gallery.ready": GALLERY,
    "gallery.delivered": GALLERY,
    "payment.received": PAYMENT,
    "payment.failed": PAYMENT,
    "client.updated": {"client_id": "X-2", "name": "Anna Moser", "email": "anna@people.example"},
    "venue.capacity_updated": {"capacity": 180, "previous": 150},
    "venue.capacity_exceeded": {"capacity": 100, "guest_count": 120},
    "venue.setup_scheduled": WORK,
    "venue.catering_updated": WORK,
    "venue.space_assigned": WORK,
    "venue.emergency_reported": {"kind": "power_outage", "description": "No light", "reported_by": "Tom"},
    "wedding.date_changed": {"date": "2027-06-20", "previous": "2026-11-23"},
    "form.submitted": {"form_id": "01977f00-0000-7000-8000-0000000000c1", "answers": {"diet": "vegan"}},
    "journey.milestone_reached": {"milestone": "venue", "progress": 40},
    "incident.acknowledged": {"incident_id": "01977f00-0000-7000-8000-0000000000e1", "by": "Clara", "via": "email"},
    "incident.resolved": {
        "incident_id": "01977f00-0000-7000-8000-0000000000e1",
        "kind": "fire",
        "description": "It is out",
        "resolved_by": "Eva",
    },
    "incident.wedding_unknown": {
        "incident_id": "01977f00-0000-7000-8000-0000000000e1",
        "trouble": "booking_unknown",
        "kind": "fire",
        "description": "Smoke",
        "reported_by": "Front desk",
        "booking_id": "B-404",
    },
    "personal_link.requested": {"contact_id": "01977f00-0000-7000-8000-0000000000c1"},
    "ops.self_test": {"day": "2027-06-19"},
    "ops.reach_checked": {"wedding": "Anna & Ben", "reached": [], "gaps": ["Nobody is in the call order."]},
    "incident.drill_started": {
        "incident_id": "01977f00-0000-7000-8000-0000000000e1",
        "kind": "fire",
        "description": "Try it",
        "started_by": "Eva",
    },
    "ops.alert_raised": ALERT,
    "ops.alert_resolved": ALERT,
    "system.health_changed": {
        "system_id": "01977f00-0000-7000-8000-0000000000d1",
        "system": "Studio Cloud",
        "status": "critical",
        "previous": "healthy",
        "score": 40,
        "why": ["The breaker is open."],
    },
}
# The vendor holds the name already, so that only the address goes out.
KNOWN = Client("C-15", known={"name": "Anna Moser", "email": "anna@old.example"})
NEW = Client(None, profile={"name": "Anna", "phone": "+436601234567"})


def outgoing(event_type: str, booking: str | None, *, client: Client | None = KNOWN) -> Outgoing:
    """The sample of a type, on its way to a vendor that calls the wedding ``booking``."""
    event = ChannelEvent(
        id=UUID("01977f00-0000-7000-8000-000000000002"),
        organization_id=ORGANIZATION,
        wedding_id=WEDDING,
        type=event_type,
        payload={"wedding_id": str(WEDDING), **PAYLOADS[event_type]},
        occurred_at=datetime(2026, 6, 19, 8, tzinfo=UTC),
    )
    told = client if event_type == "client.updated" else None
    return Outgoing(event, booking, 2, "supplier:dashboard:1", told)
