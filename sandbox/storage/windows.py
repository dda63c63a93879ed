"""When each person last wrote to a WhatsApp number, which opens the customer service window."""

from __future__ import annotations

import sqlite3

WINDOW_SECONDS = 24 * 3600


class ServiceWindows:
    """https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages (customer service windows)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def open(self, phone_number_id: str, wa_id: str, at: float) -> None:
        """Record that the person wrote at this time."""
        self._connection.execute(
            "INSERT INTO whatsapp_windows VALUES (?, ?, ?) ON CONFLICT (phone_number_id, wa_id)"
            " DO UPDATE SET last_inbound_at = max(last_inbound_at, excluded.last_inbound_at)",
            (phone_number_id, wa_id, at),
        )

    def close(self, wa_id: str | None) -> None:
        """Forget when one person wrote, or all: as if 24 hours had passed."""
        self._connection.execute("DELETE FROM whatsapp_windows WHERE ? IS NULL OR wa_id = ?", (wa_id, wa_id))

    def is_open(self, phone_number_id: str, wa_id: str, now: float) -> bool:
        """Whether free text may be sent now."""
        row = self._connection.execute(
            "SELECT last_inbound_at FROM whatsapp_windows WHERE phone_number_id = ? AND wa_id = ?",
            (phone_number_id, wa_id),
        ).fetchone()
        return row is not None and now - float(row["last_inbound_at"]) < WINDOW_SECONDS
