"""VenueMaster, a venue system. Contract: docs/vendors/venue_master.md."""

from urllib.parse import quote

from integrations.outbound import Request
from integrations.signatures import TimestampedList
from integrations.vendors.base import Outgoing, Vendor, json_request


class VenueMaster(Vendor):
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
    }
    aliases = {"event_id": "booking_id", "new_date": "date"}

    def outbound(self, outgoing: Outgoing) -> Request | None:
        """``PUT /events/{id}/guest-count`` when the number of guests changes."""
        payload = outgoing.event.payload
        if outgoing.event.type != "guest_count.changed":
            return None
        path = f"/events/{quote(outgoing.booking_id, safe='')}/guest-count"
        return json_request("PUT", path, outgoing, {"guest_count": payload["guest_count"]})
