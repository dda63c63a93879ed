"""Iris Works, a photography CRM. Contract: docs/vendors/iris_works.md."""

from integrations.signatures.standard_webhooks import StandardWebhooks
from integrations.vendors.families import PhotographyCrm


class IrisWorks(PhotographyCrm):
    """Signs by Standard Webhooks; calls a booking a project and its date the session date."""

    slug = "iris_works"
    label = "Iris Works"
    signature = StandardWebhooks()
    event_types = {
        "schedule.updated": "timeline.updated",
        "project.created": "booking.created",
        "project.updated": "booking.updated",
        "project.confirmed": "booking.confirmed",
        "project.cancelled": "booking.cancelled",
        "session.rescheduled": "wedding.date_changed",
        "gallery.published": "gallery.ready",
        "gallery.shared": "gallery.delivered",
        "payment.succeeded": "payment.received",
        "payment.rejected": "payment.failed",
        "client.changed": "client.updated",
    }
    aliases = {
        "project_id": "booking_id",
        "session_date": "date",
        "previous_date": "previous",
        "share_url": "gallery_url",
        "photos": "photo_count",
        "transaction_id": "reference",
    }
    words = {
        "booking_id": "project_id",
        "date": "session_date",
        "gallery_url": "share_url",
        "photo_count": "photos",
    }
