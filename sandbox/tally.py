"""How often each id arrived: the counts with which a load test is reconciled. In memory, and cheap."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from sandbox.wire import Call, Json, iso

MOST_KEYS = 500_000
"""For all services together; ids beyond them are only counted."""
_CALLERS_ID = {
    "whatsapp": re.compile(rb'"biz_opaque_callback_data"\s*:\s*"([^"]{1,512})"'),
    "twilio": re.compile(rb"(?:^|&)StatusCallback=[^&]*(?:%3F|%26)key%3D([A-Za-z0-9-]{1,64})"),
}


@dataclass
class _Entry:
    path: str
    first: float
    last: float = 0.0
    received: int = 0
    taken: int = 0
    bodies: set[bytes] = field(default_factory=set)

    def public(self) -> dict[str, Json]:
        return {
            "path": self.path,
            "received": self.received,
            "taken": self.taken,
            "bodies": len(self.bodies),
            "first": iso(self.first),
            "last": iso(self.last),
        }


class Tally:
    """Counts requests by service and id: the `Idempotency-Key`, else the caller's own id in the body.

    That is WhatsApp's `biz_opaque_callback_data`, and for Twilio `key` in the query of the `StatusCallback`.

    `received` counts all that arrived complete, even if a fault spoiled them; `taken` those that the service accepted.
    """

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._without_id: dict[str, int] = {}
        self._beyond = 0

    def received(self, service: str, call: Call) -> None:
        """Count a request."""
        key = _id_of(service, call)
        if key is None:
            self._without_id[service] = self._without_id.get(service, 0) + 1
            return
        entry = self._entries.get((service, key))
        if entry is None:
            if len(self._entries) >= MOST_KEYS:
                self._beyond += 1
                return
            entry = self._entries[service, key] = _Entry(f"/{service}{call.path}", call.received_at)
        entry.received += 1
        entry.last = call.received_at
        entry.bodies.add(hashlib.blake2b(call.body, digest_size=8).digest())

    def taken(self, service: str, call: Call) -> None:
        """Count that it was accepted."""
        key = _id_of(service, call)
        entry = self._entries.get((service, key)) if key is not None else None
        if entry is not None:
            entry.taken += 1

    def report(self, service: str | None, path: str, *, entries: bool) -> dict[str, Json]:
        """The totals, and with `entries` each id with its counts. `path`: only requests at or below it."""
        found = {
            key: entry
            for (slug, key), entry in self._entries.items()
            if service in {None, slug} and (not path or f"{entry.path}/".startswith(f"{path}/"))
        }
        sums = {
            "ids": len(found),
            "received": sum(entry.received for entry in found.values()),
            "taken": sum(entry.taken for entry in found.values()),
            "taken_ids": sum(entry.taken > 0 for entry in found.values()),
            "repeated_ids": sum(entry.received > 1 for entry in found.values()),
            "taken_again_ids": sum(entry.taken > 1 for entry in found.values()),
            "changed_ids": sum(len(entry.bodies) > 1 for entry in found.values()),
            "without_id": sum(count for slug, count in self._without_id.items() if service in {None, slug}),
            "beyond": self._beyond,
        }
        return sums | ({"tally": {key: entry.public() for key, entry in found.items()}} if entries else {})

    def forget(self, service: str | None) -> None:
        """Start counting from zero."""
        self._entries = {key: entry for key, entry in self._entries.items() if service not in {None, key[0]}}
        self._without_id = {slug: n for slug, n in self._without_id.items() if service not in {None, slug}}
        self._beyond = 0


def _id_of(service: str, call: Call) -> str | None:
    if service in _CALLERS_ID:
        found = _CALLERS_ID[service].search(call.body)
        return found.group(1).decode("utf-8", "replace") if found else None
    return call.headers.get("idempotency-key")
