"""PartyRental, a system for venues and rentals. Contract: docs/vendors/party_rental.md."""

from integrations.signatures.schemes import Base64Body
from integrations.vendors.families import VenueSystem


class PartyRental(VenueSystem):
    """Signs the raw body in ``X-Party-Signature`` as base64; calls a booking an order and a space a room."""

    slug = "party_rental"
    label = "PartyRental"
    signature = Base64Body("X-Party-Signature")
    event_types = {
        "order.created": "booking.created",
        "order.updated": "booking.updated",
        "order.confirmed": "booking.confirmed",
        "order.cancelled": "booking.cancelled",
        "order.date_changed": "wedding.date_changed",
        "headcount.updated": "guest_count.changed",
        "capacity.changed": "venue.capacity_updated",
        "delivery.scheduled": "venue.setup_scheduled",
        "catering.changed": "venue.catering_updated",
        "room.assigned": "venue.space_assigned",
        "deposit.paid": "payment.received",
        "deposit.failed": "payment.failed",
    }
    aliases = {
        "order_id": "booking_id",
        "new_date": "date",
        "seats": "capacity",
        "deliver_at": "starts_at",
        "setup_notes": "requirements",
        "room": "space",
        "receipt_number": "reference",
    }
    words = {
        "booking_id": "order_id",
        "date": "event_date",
        "starts_at": "deliver_at",
        "requirements": "setup_notes",
        "space": "room",
    }
