"""Which events set a state, and which fields of it: of two for the same system, the newer makes the older needless.

Pure: :mod:`integrations.deliveries.ordering` keeps the order, one at a time per system, wedding and type, and cancels
superseded deliveries.
"""

from collections.abc import Mapping
from typing import Any

_BOOKING_STATES = frozenset({"booking.updated", "booking.confirmed", "booking.cancelled"})
_VENUE_WORK = frozenset({"venue.setup_scheduled", "venue.catering_updated", "venue.space_assigned"})
_ONE_FIELD = {
    "guest_count.changed": "guest_count",
    "venue.capacity_updated": "capacity",
    "wedding.date_changed": "date",
}


def state_set_by(event_type: str, payload: Mapping[str, Any]) -> frozenset[str] | None:
    """The names of the fields that an event sets; ``None``: it reports an occurrence, and each of these counts.

    A waiting event may be dropped for a newer one of its system, wedding and type only if the newer one sets every
    field that it sets. A wedding may have several bookings and clients, so these names contain the vendor's id:
    ``booking SC-204: status``.
    """
    if event_type == "timeline.updated":
        return frozenset(change["field"] for change in payload["changes"]) | _given(payload, ("schedule",))
    if field := _ONE_FIELD.get(event_type):
        return frozenset({field})
    if event_type in _BOOKING_STATES:
        return _given(payload, ("status", "date", "notes"), f"booking {payload['booking_id']}: ")
    if event_type in _VENUE_WORK:
        return _given(payload, ("starts_at", "requirements", "space")) or None
    if event_type == "client.updated":
        return _given(payload, ("name", "email", "phone"), f"client {payload['client_id']}: ") or None
    return None


def _given(payload: Mapping[str, Any], fields: tuple[str, ...], prefix: str = "") -> frozenset[str]:
    return frozenset(prefix + field for field in fields if payload.get(field) is not None)
