"""What the vendors' systems can be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType

from sandbox.storage.records import Records
from sandbox.wire import Reply, json_reply

CAPACITY = 250
"""Guests that a sandbox venue holds."""

Read = Callable[[Records, str, Mapping[str, str]], Reply]


def find_clients(records: Records, vendor: str, query: Mapping[str, str]) -> Reply:
    """`GET /clients?email=`: the clients with that address."""
    email = query.get("email", "")
    if not email:
        return json_reply(422, {"error": "invalid_field", "message": "email is required."})
    return json_reply(200, {"clients": records.matching(vendor, "client", "email", email)})


def availability(records: Records, vendor: str, query: Mapping[str, str]) -> Reply:
    """`GET /availability?date=&guests=`: free unless booked that day or too many guests."""
    try:
        day, guests = date.fromisoformat(query.get("date", "")), int(query.get("guests", "0"))
    except ValueError:
        message = "date must be YYYY-MM-DD and guests an integer."
        return json_reply(422, {"error": "invalid_field", "message": message})
    booked = [
        booking
        for booking in records.matching(vendor, "booking", "date", day.isoformat())
        if booking.get("status") != "cancelled"
    ]
    answer = {"date": day.isoformat(), "guests": guests, "capacity": CAPACITY}
    return json_reply(200, answer | {"available": not booked and guests <= CAPACITY})


READS: Mapping[tuple[bool, str], Read] = MappingProxyType(
    {(False, "/clients"): find_clients, (True, "/availability"): availability}
)
"""(is a venue, path) -> the read."""
