"""Bodies: random bytes, odd envelopes, and envelopes with mutated bytes."""

import json
import random
from codecs import BOM_UTF8
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from bench.fuzz.words import COSTLY, TOLD

LARGEST = 256 * 1024
"""The most bytes that the receiver accepts. docs/vendors/README.md, "Where to send"."""
_TYPES = (
    "capacity.updated", "guests.changed", "setup.scheduled", "catering.updated", "space.assigned", "event.date_changed",
    "emergency.reported", "venue.capacity_updated", "timeline.updated", "booking.created", "payment.received",
    "form.submitted", "chairs.counted", "CAPACITY.UPDATED", "", "x" * 101, "capacity.updated\n", "../../etc/passwd",
    "Emergency.Reported", "emergency reported", "client.updated", "gallery.ready",
)  # fmt: skip
_FIELDS = (
    "event_id", "booking_id", "reservation_id", "wedding_id", "max_capacity", "capacity", "headcount", "guest_count",
    "previous", "reason", "starts_at", "requirements", "space", "date", "new_date", "kind", "description",
    "reported_by", "contact_phone", "location_name", "amount", "currency", "reference", "form_id", "answers",
    "changes", "schedule", "extra", "client_id", "__class__", "%s", "payload",
)  # fmt: skip
_TEXTS = (
    "", " ", "BK-1", "BK-1\x00", "\x00", "\x1b[31m", "\u202eabc", "\ufeff", "👰🏽\u200d♀️", "e\u0301" * 40, "a" * 10_001,
    "<script>alert(1)</script>", "'; DROP TABLE webhooks_receipt; --", "{{7*7}}", "%s%n", "2027-06-20", "2027-02-30",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-06-19T10:00:00+02:00", "2026-06-19T10:00:00",
    "2026-W25-5", "24:00", "-0", "1e999", "NaN", "null", "00000000-0000-0000-0000-000000000000", "\u2028", "\x7f\x85",
    "9:30", "4:30 PM", "9ish", "15:00+02:00", "20270620", "12/06/2027", "20.6.2027",
    "1813622400", "78", "eur", "JPY", "1.005", "١٢",
    "Pressure<limit", "<desk@venue.example>", "Table 5\x0b12 guests",
)  # fmt: skip
_CHANGED = (
    "ceremony_time", "reception_time", "reception_end", "ceremonyTime", "Ceremony time", "date", "shoot_date",
    "guest_count", "headcount", "capacity", "venue_name", "first_dance",
)  # fmt: skip
_NUMBERS = (0, 16, 120, -1, 20270620, 1813622400, None)
_LITERALS = (
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1e-999", b"9" * 301, b"9" * 5000, b"-0", b"1E+400",
    b"0.1e1", b"01", b"+1", b"1.", b".5", b"0x10", b"1_000", b"9223372036854775808", b"1e308", b"true", b"null", b"nul",
    b'"\\u0000"', b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\x41"', b'"\xff\xfe"', b'"\xc0\x80"', b'"\xed\xa0\x80"',
    b'"\x01"', b'"\t"', b'"unfinished', b"'single'", b"[1,]", b"{,}", b'{"a":1,"a":2}', b'{"a":1,"\\u0061":2}',
    b'{"":{"":{"":0}}}', b"/* no */ 1", b"[]", b"{}", b'[[[[["deep"]]]]]', b"undefined", b"\xef\xbb\xbf1",
    b"78", b"9.5", b"20270620", b"1.005", b'"9:30"', b'"4:30 PM"',
)  # fmt: skip


class Bodies:
    """Makes bodies. The same ``chance`` makes the same bodies, except for their times.

    Arguments:
        bookings: the vendor's ids for existing weddings.
    """

    def __init__(self, chance: random.Random, bookings: Sequence[str]) -> None:
        self._chance = chance
        self._bookings = bookings
        self._made = 0
        self._known: list[bytes] = [b"{}"]
        self._kinds: list[tuple[int, Callable[[], bytes]]] = [
            (4, self._envelope),
            (6, self._odd_envelope),
            (3, self._literal_inside),
            (2, self._timeline),
            (1, self._emergency),
            (1, self._marked),
            (5, self._mutated),
            (2, self._random_bytes),
            (1, self._nested),
            (1, self._again),
            (1, self._words),
        ]

    def make(self) -> bytes:
        """One body."""
        weights, kinds = zip(*self._kinds, strict=True)
        made: bytes = self._chance.choices(kinds, weights)[0]()
        if self._chance.random() < 0.001:
            made = made[:-1] + b" " * (LARGEST - len(made) + self._chance.randint(-1, 1)) + made[-1:]
        self._known[self._made % 200 : self._made % 200 + 1] = [made]
        self._made += 1
        return made

    def _parts(self) -> dict[str, Any]:
        return {
            "id": f"fuzz_{self._made}_{self._chance.getrandbits(48):x}",
            "eventType": self._chance.choice(_TYPES[:7]),
            "timestamp": datetime.now(UTC).isoformat(),
            "payload": {
                "event_id": self._chance.choice(self._bookings),
                "max_capacity": self._chance.randint(0, 300),
                "headcount": self._chance.randint(0, 300),
            },
        }

    def _envelope(self) -> bytes:
        parts = self._parts()
        parts["eventType"] = self._chance.choice(("capacity.updated", "guests.changed"))
        del parts["payload"]["headcount" if parts["eventType"] == "capacity.updated" else "max_capacity"]
        return json.dumps(parts).encode()

    def _odd_envelope(self) -> bytes:
        parts = self._parts()
        payload = {self._chance.choice(_FIELDS): self._value(3) for _ in range(self._chance.randint(0, 8))}
        if self._chance.random() < 0.7:
            payload = {**parts["payload"], **payload}
        parts["payload"] = payload
        parts["eventType"] = self._chance.choice(_TYPES)
        for name in ("id", "eventType", "timestamp", "payload", "further"):
            if self._chance.random() < 0.12:
                parts[name] = self._value(3)
            elif self._chance.random() < 0.03:
                parts.pop(name, None)
        return json.dumps(parts, ensure_ascii=self._chance.random() < 0.5).encode("utf-8", "surrogatepass")

    def _value(self, depth: int) -> object:
        kinds: list[Callable[[], object]] = [
            lambda: self._chance.choice(_TEXTS),
            lambda: self._chance.randint(-(10 ** self._chance.randint(0, 30)), 10 ** self._chance.randint(0, 30)),
            lambda: self._chance.choice((None, True, False, 0, -1, 0.5, 1e308, -1e-300, 100_000, 100_001)),
            lambda: "".join(chr(self._chance.randrange(0x110000)) for _ in range(self._chance.randint(0, 12))),
        ]
        if depth:
            kinds += [
                lambda: [self._value(depth - 1) for _ in range(self._chance.randint(0, 4))],
                lambda: {str(self._value(0)): self._value(depth - 1) for _ in range(self._chance.randint(0, 4))},
            ]
        return self._chance.choice(kinds)()

    def _words(self) -> bytes:
        """Texts with markup whose plain form is known; now and then a costly text."""
        parts = self._parts()
        costly = self._chance.random() < 0.02
        said = self._chance.choice(COSTLY) if costly else self._chance.choice(tuple(TOLD))
        parts["payload"] |= {"said": said}
        parts["eventType"] = "capacity.updated"
        del parts["payload"]["headcount"]
        return json.dumps(parts, ensure_ascii=self._chance.random() < 0.5).encode()

    def _timeline(self) -> bytes:
        """Times and counts in every form: the wedding must keep them, or they must be refused."""
        parts = self._parts()
        changes = [
            {"field": self._chance.choice(_CHANGED), "after": self._chance.choice((*_TEXTS, *_NUMBERS))}
            for _ in range(self._chance.randint(1, 4))
        ]
        parts |= {"eventType": "timeline.updated"}
        parts["payload"] = {"event_id": self._chance.choice(self._bookings), "changes": changes}
        return json.dumps(parts).encode("utf-8", "surrogatepass")

    def _emergency(self) -> bytes:
        """Emergencies written in haste: blanks, other types, too much, too little."""
        parts = self._parts()
        names = (
            "event_id",
            "wedding_id",
            "kind",
            "description",
            "reported_by",
            "contact_phone",
            "location_name",
            "extra",
        )
        payload = {name: self._value(1) for name in names if self._chance.random() < 0.6}
        parts |= {
            "eventType": self._chance.choice(("emergency.reported", "VENUE.EMERGENCY_REPORTED")),
            "payload": payload,
        }
        return json.dumps(parts).encode("utf-8", "surrogatepass")

    def _marked(self) -> bytes:
        """A body with a byte order mark, and numbers for ids."""
        parts = self._parts()
        parts["id"] = self._chance.getrandbits(60)
        parts["payload"]["event_id"] = self._chance.randint(0, 10**30)
        return BOM_UTF8 + json.dumps(parts).encode()

    def _literal_inside(self) -> bytes:
        """JSON that no library would write: a literal in place of some value."""
        parts = self._parts()
        place = self._chance.choice(("id", "eventType", "timestamp", "payload", "headcount", "max_capacity", "reason"))
        if place in parts:
            parts[place] = "@@"
        else:
            parts["payload"][place] = "@@"
        return json.dumps(parts).encode().replace(b'"@@"', self._chance.choice(_LITERALS))

    def _mutated(self) -> bytes:
        """One to four changes to the bytes of an earlier body."""
        body = bytearray(self._chance.choice((self._chance.choice(self._known), self._envelope())))
        for _ in range(self._chance.randint(1, 4)):
            start = self._chance.randint(0, len(body))
            end = min(len(body), start + self._chance.randint(1, 12))
            change = self._chance.randrange(5)
            if change == 0 and start < len(body):
                body[start] ^= 1 << self._chance.randrange(8)
            elif change == 1:
                del body[start:end]
            elif change == 2:
                body[start:start] = self._chance.randbytes(self._chance.randint(1, 6))
            elif change == 3:
                body[start:start] = body[start:end]
            elif len(body) < LARGEST:
                del body[start:]
        return bytes(body)

    def _random_bytes(self) -> bytes:
        return self._chance.randbytes(int(self._chance.paretovariate(0.6)) % 2000)

    def _nested(self) -> bytes:
        depth = self._chance.choice((5, 28, 29, 30, 31, 32, 33, 64, 1000, 60_000))
        left, right = self._chance.choice(((b"[", b"]"), (b'{"a":', b"}")))
        inner = left * depth + b"1" + right * (depth if self._chance.random() < 0.8 else depth // 2)
        if self._chance.random() < 0.5:
            return inner[:LARGEST]
        return json.dumps(self._parts() | {"payload": {"extra": "@@"}}).encode().replace(b'"@@"', inner)[:LARGEST]

    def _again(self) -> bytes:
        """A replay, or a known id with another body."""
        known = self._chance.choice(self._known)
        return known if self._chance.random() < 0.5 else known.replace(b"1", b"2")
