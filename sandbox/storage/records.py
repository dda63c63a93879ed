"""The records of a vendor's system: bookings, clients, events, galleries."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping

from sandbox.wire import Json, iso


class Records:
    """A vendor's records by kind and id; a write merges its fields into the record and sets the time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._newest = 0.0

    def merge(self, service: str, kind: str, record_id: str, fields: Mapping[str, Json]) -> dict[str, Json]:
        """Create the record or update these of its fields; returns the whole record."""
        row = self._connection.execute(
            "SELECT fields FROM records WHERE service = ? AND kind = ? AND id = ?", (service, kind, record_id)
        ).fetchone()
        known = json.loads(row["fields"]) if row else {}
        whole = {**known, **fields, "id": record_id, "updated_at": iso(self._now())}
        self._connection.execute(
            "INSERT OR REPLACE INTO records (service, kind, id, fields) VALUES (?, ?, ?, ?)",
            (service, kind, record_id, json.dumps(whole, ensure_ascii=False)),
        )
        return whole

    def matching(self, service: str, kind: str, field: str, value: str) -> list[dict[str, Json]]:
        """The records whose field equals the text in any case, as with email addresses."""
        return [
            record for record in self.every(service, kind) if str(record.get(field, "")).casefold() == value.casefold()
        ]

    def every(self, service: str, kind: str) -> list[dict[str, Json]]:
        """All records of a kind, by id."""
        query = "SELECT fields FROM records WHERE service = ? AND kind = ? ORDER BY id"
        return [json.loads(row["fields"]) for row in self._connection.execute(query, (service, kind))]

    def changed_after(
        self, service: str, kind: str, place: tuple[str, str], limit: int
    ) -> tuple[list[dict[str, Json]], bool]:
        """Up to `limit` records after a place, `(updated_at, id)`, in this order; and whether more follow."""
        behind = sorted(
            (record for record in self.every(service, kind) if _place(record) > place),
            key=_place,
        )
        return behind[:limit], len(behind) > limit

    def delete(self, service: str | None) -> None:
        """Forget the records of one service, or all."""
        self._connection.execute("DELETE FROM records WHERE ? IS NULL OR service = ?", (service, service))

    def _now(self) -> float:
        """Later with each write, so that the order of changes is always defined."""
        self._newest = max(time.time(), self._newest + 1e-5)
        return self._newest


def _place(record: Mapping[str, Json]) -> tuple[str, str]:
    return str(record.get("updated_at", "")), str(record["id"])
