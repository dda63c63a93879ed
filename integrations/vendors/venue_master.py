"""VenueMaster, a venue system. Contract: docs/vendors/venue_master.md."""

from integrations.signatures.schemes import TimestampedList
from integrations.vendors.families import VenueSystem


class VenueMaster(VenueSystem):
    """Signs ``t.body`` in ``X-Venue-Signature``; calls a booking an event."""

    slug = "venue_master"
    label = "VenueMaster"
    signature = TimestampedList("X-Venue-Signature")
    event_types = {
        "capacity.updated": "venue.capacity_updated",
        "emergency.reported": "venue.emergency_reported",
        "setup.scheduled": "venue.setup_scheduled",
        "catering.updated": "venue.catering_updated",
        "space.assigned": "venue.space_assigned",
        "guests.changed": "guest_count.changed",
        "event.date_changed": "wedding.date_changed",
        "event.booked": "booking.created",
        "event.updated": "booking.updated",
        "event.confirmed": "booking.confirmed",
        "event.cancelled": "booking.cancelled",
    }
    aliases = {"event_id": "booking_id", "new_date": "date"}
    words = {"booking_id": "event_id", "date": "event_date"}
