"""Every request that reached a service, including failed ones: tests count calls here."""

from __future__ import annotations

import sqlite3

from sandbox.wire import Json, iso

ROWS_KEPT = 200
_PRUNE_EACH = 100


class RequestLog:
    """The last requests to each service, and exact counts by outcome. A hanging request counts from its start."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def begin(
        self, service: str, received_at: float, method: str, path: str, fault: str | None, key: str | None
    ) -> int:
        """Record that a request arrived; returns the row's id."""
        cursor = self._connection.execute(
            "INSERT INTO requests (service, time, method, path, fault, idempotency_key) VALUES (?, ?, ?, ?, ?, ?)",
            (service, iso(received_at), method, path, fault, key),
        )
        assert cursor.lastrowid is not None
        self._count(service, "total")
        if fault:
            self._count(service, "faults")
        if cursor.lastrowid % _PRUNE_EACH == 0:
            self._prune()
        return cursor.lastrowid

    def finish(self, row_id: int, service: str, status: int | None, duration_ms: float) -> None:
        """Record the answer's status; `None`: there was no answer."""
        self._connection.execute(
            "UPDATE requests SET status = ?, duration_ms = ? WHERE id = ?", (status, round(duration_ms, 3), row_id)
        )
        self._count(service, "unanswered" if status is None else str(status))

    def counts(self, service: str | None) -> dict[str, dict[str, int]]:
        """Service -> outcome -> number. Outcomes: `total`, `faults`, `unanswered` and each status code."""
        found: dict[str, dict[str, int]] = {}
        query = "SELECT service, outcome, count FROM request_counts WHERE ? IS NULL OR service = ? ORDER BY 1, 2"
        for row in self._connection.execute(query, (service, service)):
            found.setdefault(row["service"], {})[row["outcome"]] = row["count"]
        return found

    def rows(self, service: str | None) -> list[dict[str, Json]]:
        """The last requests of each service, oldest first."""
        query = (
            "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY service ORDER BY id DESC) AS age FROM requests"
            " WHERE ? IS NULL OR service = ?) WHERE age <= ? ORDER BY id"
        )
        rows = [dict(row) for row in self._connection.execute(query, (service, service, ROWS_KEPT))]
        for row in rows:
            del row["age"]
        return rows

    def delete(self, service: str | None) -> None:
        """Start counting from zero."""
        for table in ("requests", "request_counts"):
            self._connection.execute(f"DELETE FROM {table} WHERE ? IS NULL OR service = ?", (service, service))

    def _count(self, service: str, outcome: str) -> None:
        self._connection.execute(
            "INSERT INTO request_counts (service, outcome, count) VALUES (?, ?, 1)"
            " ON CONFLICT (service, outcome) DO UPDATE SET count = count + 1",
            (service, outcome),
        )

    def _prune(self) -> None:
        self._connection.execute(
            "DELETE FROM requests WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER"
            " (PARTITION BY service ORDER BY id DESC) AS age FROM requests) WHERE age > ?)",
            (ROWS_KEPT,),
        )
