"""The vendor's side of a webhook, written from docs/vendors/venue_master.md and sharing no code with the product."""

import hmac
import itertools
import json
import random
import secrets
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone

from bench.ground import Facts

TAKEN = (200, 202)
"""The answers that mean that a request is stored. docs/vendors/README.md, "What comes back"."""
_ZONE = timezone(timedelta(hours=2))
_NOTE = (
    "Round tables of ten, the band on the lake side, vegetarian menu for 14 guests, cake at nine in the garden hall, "
    "wheelchair ramp at the west door; the florist comes from 10:30 and needs the service lift"
)
_PAYLOADS: dict[str, dict[str, object]] = {
    "capacity.updated": {"max_capacity": "%d", "previous": 150, "location_name": "Seehof am Attersee", "reason": _NOTE},
    "guests.changed": {"headcount": "%d", "previous": 110, "changed_by": "Tom Berger", "remark": _NOTE},
    "setup.scheduled": {
        "starts_at": "2027-06-19T08:30:00+02:00",
        "space": "Garden hall",
        "crew": "%d",
        "requirements": _NOTE,
    },
    "catering.updated": {
        "starts_at": "2027-06-19T17:45:00+02:00",
        "space": "Terrace",
        "menus": "%d",
        "requirements": _NOTE,
    },
}


def _template(event_type: str, payload: dict[str, object], booking: str) -> str:
    """An envelope without its id, time and one number: filling them in is much faster than making JSON."""
    envelope = {"id": "%s", "eventType": event_type, "timestamp": "%s", "payload": {"event_id": booking, **payload}}
    return json.dumps(envelope, separators=(",", ":")).replace('"%d"', "%d")


class Envelopes:
    """Bodies of about 400 bytes, of four event types, spread over the weddings, each with a new id."""

    def __init__(self, bookings: Sequence[str]) -> None:
        self._run = secrets.token_hex(4)
        self._chance = random.Random()
        self._numbers = itertools.count(1)
        self._templates = [
            _template(event_type, payload, booking) for booking in bookings for event_type, payload in _PAYLOADS.items()
        ]

    def take(self, count: int) -> Iterator[tuple[str, bytes]]:
        """This number of new bodies, each with its id."""
        now = datetime.now(_ZONE).isoformat(timespec="milliseconds")
        kinds = len(self._templates)
        for number in itertools.islice(self._numbers, count):
            event_id = f"vm_{self._run}_{self._chance.getrandbits(64):016x}"
            yield event_id, (self._templates[number % kinds] % (event_id, now, number % 400)).encode()


def signature(body: bytes, secret: bytes, stamp: int) -> str:
    """The value of ``X-Venue-Signature``. ``stamp``: Unix seconds."""
    return f"t={stamp},v1={hmac.digest(secret, b'%d.%b' % (stamp, body), 'sha256').hex()}"


def signed_requests(facts: Facts, envelopes: Envelopes, count: int) -> Iterator[bytes]:
    """This number of whole HTTP requests, signed now; they contain no port, so each server gets the same bytes."""
    secret, stamp = facts.secret.encode(), int(time.time())
    head = (
        f"POST {facts.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: VenueMaster/4.2\r\nAccept: */*\r\n"
        "Content-Type: application/json\r\nX-Venue-Signature: %s\r\nContent-Length: %d\r\n\r\n"
    )
    for _, body in envelopes.take(count):
        yield (head % (signature(body, secret, stamp), len(body))).encode() + body
