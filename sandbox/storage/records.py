"""The records that a vendor's system keeps: bookings, clients, events, galleries."""

from __future__ import annotations

import json
import sqlite3

from sandbox.wire import Json


class Records:
    """A vendor's records by kind and id; a write merges its fields into what is there."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def merge(self, service: str, kind: str, record_id: str, fields: dict[str, Json]) -> None:
        """Create the record or lay these fields over it."""
        row = self._connection.execute(
            "SELECT fields FROM records WHERE service = ? AND kind = ? AND id = ?", (service, kind, record_id)
        ).fetchone()
        known = json.loads(row["fields"]) if row else {}
        self._connection.execute(
            "INSERT OR REPLACE INTO records (service, kind, id, fields) VALUES (?, ?, ?, ?)",
            (service, kind, record_id, json.dumps(known | fields | {"id": record_id}, ensure_ascii=False)),
        )

    def matching(self, service: str, kind: str, field: str, value: str) -> list[dict[str, Json]]:
        """The records whose field equals the text; case does not matter, as with email addresses."""
        query = "SELECT fields FROM records WHERE service = ? AND kind = ? ORDER BY id"
        records = [json.loads(row["fields"]) for row in self._connection.execute(query, (service, kind))]
        return [record for record in records if str(record.get(field, "")).casefold() == value.casefold()]
