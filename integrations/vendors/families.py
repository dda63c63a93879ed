"""What vendors of one family share: the calls that they take. docs/vendors/README.md."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from integrations.outbound import Request
from integrations.vendors.base import Outgoing, Vendor, json_request

TIMELINE = "/bookings/timeline"


class PhotographyCrm(Vendor):
    """Takes every change of a booking's timeline, the date included, at ``POST /bookings/timeline``."""

    def outbound(self, outgoing: Outgoing) -> Request | None:
        """The timeline call, with the family's own words for a change."""
        changes = _timeline_changes(outgoing.event.type, outgoing.event.payload)
        if changes is None:
            return None
        return json_request("POST", TIMELINE, outgoing, {"booking_id": outgoing.booking_id, "changes": changes})


class VenueSystem(Vendor):
    """Takes the number of guests at ``PUT /events/{id}/guest-count``."""

    def outbound(self, outgoing: Outgoing) -> Request | None:
        """The call when the number of guests changes."""
        if outgoing.event.type != "guest_count.changed":
            return None
        path = f"/events/{quote(outgoing.booking_id, safe='')}/guest-count"
        return json_request("PUT", path, outgoing, {"guest_count": outgoing.event.payload["guest_count"]})


def _timeline_changes(event_type: str, payload: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    if event_type == "wedding.date_changed":
        return [{"item": "shoot_date", "from": payload.get("previous"), "to": payload["date"]}]
    if event_type != "timeline.updated":
        return None
    return [
        {"item": change["field"], "from": change.get("before"), "to": change["after"]} for change in payload["changes"]
    ]
