"""The calls that vendors of one family accept. docs/vendors/README.md, "Calls that you receive"."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from django.utils import timezone

from integrations.outbound import Request
from integrations.rules.known_before import before_in
from integrations.vendors.base import Harmless, Outgoing, Vendor, json_request

TIMELINE = "/bookings/timeline"
BOOKINGS = "/bookings"
CLIENTS = "/clients"
NOBODY = "nobody@example.com"
CLIENT_FIELDS = ("name", "email", "phone")
# The event's type decides, whatever word the sending vendor uses for the status.
STATUS_OF = {"booking.confirmed": "confirmed", "booking.cancelled": "cancelled"}
BOOKING_TYPES = frozenset({"booking.created", "booking.updated", *STATUS_OF})
_WORK_KINDS = {
    "venue.setup_scheduled": "setup",
    "venue.catering_updated": "catering",
    "venue.space_assigned": "space",
}


class PhotographyCrm(Vendor):
    """Accepts timelines including the date, bookings, galleries, and clients' profiles."""

    needs_no_booking = frozenset({"booking.created"})
    lists_clients = True

    def outbound(self, outgoing: Outgoing) -> Request | None:
        """The call, in the vendor's own words."""
        event = outgoing.event
        if event.type in BOOKING_TYPES:
            return _booking(self, outgoing)
        if outgoing.booking_id is None:
            return None
        match event.type:
            case "timeline.updated" | "wedding.date_changed":
                body = {"booking_id": outgoing.booking_id, "changes": _timeline_changes(event.type, event.payload)}
                return json_request("POST", TIMELINE, outgoing, self._own_id(outgoing) | body)
            case "gallery.ready" | "gallery.delivered":
                shown = {name: event.payload.get(name) for name in ("gallery_url", "photo_count")}
                body = {**shown, "status": event.type.removeprefix("gallery.")}
                return json_request("POST", "/galleries", outgoing, self._own_id(outgoing) | self.in_own_words(body))
            case "client.updated":
                return self._client(outgoing)
        return None

    def harmless(self) -> Harmless | None:
        """Search for a client that does not exist."""
        return Harmless(CLIENTS, {"email": NOBODY}, "clients")

    def _client(self, outgoing: Outgoing) -> Request | None:
        """Only the values that the vendor does not hold yet; a new client is sent whole."""
        client, payload = outgoing.client, outgoing.event.payload
        if client is None:
            return None
        given = {name: payload[name] for name in CLIENT_FIELDS if payload.get(name)}
        if client.external_id is None:
            whole = self._own_id(outgoing) | self.in_own_words({**client.profile, **given})
            return json_request("POST", CLIENTS, outgoing, whole)
        changed = {name: value for name, value in given.items() if client.known.get(name) != value}
        if not changed:
            return None
        path = f"{CLIENTS}/{quote(client.external_id, safe='')}"
        return json_request("PUT", path, outgoing, self.in_own_words(changed))

    def _own_id(self, outgoing: Outgoing) -> dict[str, Any]:
        return self.in_own_words({"booking_id": outgoing.booking_id})


class VenueSystem(Vendor):
    """Accepts the guest count, the work at the venue, and bookings; tells whether a day is free."""

    needs_no_booking = frozenset({"booking.created"})
    tells_availability = True

    def outbound(self, outgoing: Outgoing) -> Request | None:
        """The call, in the vendor's own words."""
        event = outgoing.event
        if event.type in BOOKING_TYPES:
            return _booking(self, outgoing)
        if outgoing.booking_id is None:
            return None
        booking = f"/events/{quote(outgoing.booking_id, safe='')}"
        if event.type == "guest_count.changed":
            body = {"guest_count": event.payload["guest_count"]}
            return json_request("PUT", f"{booking}/guest-count", outgoing, body)
        if kind := _WORK_KINDS.get(event.type):
            given = {name: event.payload.get(name) for name in ("starts_at", "requirements", "space")}
            return json_request("POST", f"{booking}/setup", outgoing, {"kind": kind, **self.in_own_words(given)})
        return None

    def harmless(self) -> Harmless | None:
        """Ask about a day a year away, which reserves nothing."""
        day = timezone.now().date() + timedelta(days=365)
        return Harmless("/availability", {"date": day.isoformat(), "guests": 1}, "available")


def _booking(vendor: Vendor, outgoing: Outgoing) -> Request | None:
    """A change of the vendor's booking, or a new booking if it has none."""
    event = outgoing.event
    given = {name: event.payload.get(name) for name in ("status", "date", "notes")}
    body = vendor.in_own_words({**given, "status": STATUS_OF.get(event.type, given["status"])})
    if outgoing.booking_id is not None:
        return json_request("PATCH", f"{BOOKINGS}/{quote(outgoing.booking_id, safe='')}", outgoing, body)
    if event.type != "booking.created":
        return None
    ours = str(event.wedding_id) if event.wedding_id else None
    return json_request("POST", BOOKINGS, outgoing, {"wedding_id": ours, **body})


def _timeline_changes(event_type: str, payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    if event_type == "wedding.date_changed":
        return [{"item": "shoot_date", "from": before_in(payload), "to": payload["date"]}]
    return [
        {"item": change["field"], "from": change.get("before"), "to": change["after"]} for change in payload["changes"]
    ]
