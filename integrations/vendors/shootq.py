"""ShootQ, a photography CRM. Contract: docs/vendors/shootq.md."""

from integrations.signatures.schemes import TimestampedHex
from integrations.vendors.families import PhotographyCrm


class ShootQ(PhotographyCrm):
    """Signs ``timestamp.body`` in ``X-ShootQ-Signature``; calls a booking a job and a client a contact."""

    slug = "shootq"
    label = "ShootQ"
    signature = TimestampedHex("X-ShootQ-Timestamp", "X-ShootQ-Signature")
    event_types = {
        "job.timeline_changed": "timeline.updated",
        "job.created": "booking.created",
        "job.updated": "booking.updated",
        "job.booked": "booking.confirmed",
        "job.cancelled": "booking.cancelled",
        "job.date_changed": "wedding.date_changed",
        "gallery.published": "gallery.ready",
        "gallery.sent": "gallery.delivered",
        "payment.posted": "payment.received",
        "payment.declined": "payment.failed",
        "contact.updated": "client.updated",
    }
    aliases = {
        "job_id": "booking_id",
        "job_date": "date",
        "previous_date": "previous",
        "contact_id": "client_id",
        "gallery_link": "gallery_url",
        "image_count": "photo_count",
        "payment_id": "reference",
    }
    words = {"booking_id": "job_id", "date": "job_date", "gallery_url": "gallery_link", "photo_count": "image_count"}
