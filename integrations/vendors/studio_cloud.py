"""Studio Cloud, a photography CRM. Contract: docs/vendors/studio_cloud.md."""

from integrations.signatures.schemes import PrefixedHex
from integrations.vendors.families import PhotographyCrm


class StudioCloud(PhotographyCrm):
    """Signs the raw body in ``X-StudioCloud-Signature``; calls a booking a shoot and a gallery an album."""

    slug = "studio_cloud"
    label = "Studio Cloud"
    signature = PrefixedHex("X-StudioCloud-Signature", "sha256=")
    event_types = {
        "timeline.changed": "timeline.updated",
        "shoot.booked": "booking.created",
        "shoot.changed": "booking.updated",
        "shoot.confirmed": "booking.confirmed",
        "shoot.cancelled": "booking.cancelled",
        "shoot.rescheduled": "wedding.date_changed",
        "album.ready": "gallery.ready",
        "album.sent": "gallery.delivered",
        "invoice.paid": "payment.received",
        "invoice.payment_failed": "payment.failed",
        "customer.changed": "client.updated",
    }
    aliases = {
        "shoot_id": "booking_id",
        "previous_date": "previous",
        "album_url": "gallery_url",
        "invoice_number": "reference",
    }
    words = {"booking_id": "shoot_id", "date": "shoot_date", "gallery_url": "album_url"}
