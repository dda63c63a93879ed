"""Studio Cloud, a photography CRM."""

from typing import Any

from integrations.outbound import Request
from integrations.signatures import PrefixedHex
from integrations.vendors.base import Outgoing, Vendor, json_request

TIMELINE = "/bookings/timeline"


class StudioCloud(Vendor):
    """Signs the raw body in ``X-StudioCloud-Signature``.

    Takes every change of a booking's timeline, the date included, at ``POST /bookings/timeline``.
    """

    slug = "studio_cloud"
    label = "Studio Cloud"
    signature = PrefixedHex("X-StudioCloud-Signature", "sha256=")
    event_types = {
        "timeline.changed": "timeline.updated",
        "album.ready": "gallery.ready",
        "album.sent": "gallery.delivered",
    }

    def outbound(self, outgoing: Outgoing) -> Request | None:
        """The timeline call, with Studio Cloud's own words for a change."""
        changes = self._changes(outgoing.event.type, outgoing.event.payload)
        if changes is None:
            return None
        body = {"booking_id": outgoing.booking_id, "changes": changes}
        return json_request("POST", TIMELINE, outgoing, body)

    @staticmethod
    def _changes(event_type: str, payload: dict[str, Any]) -> list[dict[str, Any]] | None:
        if event_type == "wedding.date_changed":
            return [{"item": "shoot_date", "from": payload.get("previous"), "to": payload["date"]}]
        if event_type != "timeline.updated":
            return None
        return [
            {"item": change["field"], "from": change.get("before"), "to": change["after"]}
            for change in payload["changes"]
        ]
