"""The read endpoints of the vendors' systems."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType

from sandbox.storage.records import Records
from sandbox.wire import Json, Reply, iso, json_reply

CAPACITY = 250
"""Guests that a sandbox venue holds."""
DAYS = ("date", "event_date", "new_date")
"""The fields in which venues store the day of a booking."""
LIMIT, MOST = 50, 100
"""Clients per page: by default, and at most."""

Read = Callable[[Records, str, Mapping[str, str]], Reply]


def find_clients(records: Records, vendor: str, query: Mapping[str, str]) -> Reply:
    """`GET /clients?email=`: the clients with that address. Without it: see `list_clients`."""
    if "email" not in query:
        return list_clients(records, vendor, query)
    if not query["email"]:
        return _invalid("email must not be empty.")
    return json_reply(200, {"clients": records.matching(vendor, "client", "email", query["email"])})


def list_clients(records: Records, vendor: str, query: Mapping[str, str]) -> Reply:
    """`GET /clients?updated_since=&cursor=&limit=`: in the order of their last change; cursors never expire."""
    limit = query.get("limit", str(LIMIT))
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= MOST):
        return _invalid(f"limit must be a number from 1 to {MOST}.")
    try:
        place = _place(query["cursor"]) if "cursor" in query else (_moment(query.get("updated_since", "")), "")
    except ValueError:
        return _invalid("cursor must be one of ours, updated_since a time with an offset.")
    clients, more = records.changed_after(vendor, "client", place, int(limit))
    if clients:
        place = (clients[-1]["updated_at"], clients[-1]["id"])
    return json_reply(200, {"clients": clients, "cursor": _cursor(place), "more": more})


def _cursor(place: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _place(cursor: str) -> tuple[str, str]:
    try:
        read: Json = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("not one of our cursors") from error
    if not (isinstance(read, list) and len(read) == 2 and all(isinstance(part, str) for part in read)):
        raise ValueError("not one of our cursors")
    return read[0], read[1]


def _moment(text: str) -> str:
    """The time just before, since changes at exactly this time count."""
    if not text:
        return ""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no offset")
    return iso(moment.astimezone(UTC).timestamp() - 1e-6)


def availability(records: Records, vendor: str, query: Mapping[str, str]) -> Reply:
    """`GET /availability?date=&guests=`: free unless booked that day or too many guests."""
    try:
        day, guests = date.fromisoformat(query.get("date", "")), int(query.get("guests", "0"))
    except ValueError:
        return _invalid("date must be YYYY-MM-DD and guests an integer.")
    booked = any(
        day.isoformat() in {booking.get(name) for name in DAYS} and booking.get("status") != "cancelled"
        for booking in records.every(vendor, "booking")
    )
    note = "Booked already." if booked else "" if guests <= CAPACITY else f"We take {CAPACITY} guests at most."
    answer = {"date": day.isoformat(), "guests": guests, "capacity": CAPACITY, "available": not note}
    return json_reply(200, answer | ({"note": note} if note else {}))


def _invalid(message: str) -> Reply:
    return json_reply(422, {"error": "invalid_field", "message": message})


READS: Mapping[tuple[bool, str], Read] = MappingProxyType(
    {(False, "/clients"): find_clients, (True, "/availability"): availability}
)
"""(is a venue, path) -> the read."""
