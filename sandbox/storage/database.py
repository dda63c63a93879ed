"""The SQLite file. Only the event loop's thread uses it, so one connection is enough."""

from __future__ import annotations

import sqlite3
from pathlib import Path

FILE_NAME = "sandbox.sqlite3"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    provider_id TEXT NOT NULL, service TEXT NOT NULL, account TEXT NOT NULL, received_at TEXT NOT NULL,
    recipient TEXT NOT NULL, text TEXT NOT NULL, html TEXT, headers TEXT NOT NULL, body TEXT NOT NULL,
    view TEXT NOT NULL, status TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_service ON messages (service, id);
CREATE INDEX IF NOT EXISTS messages_provider_id ON messages (provider_id);
CREATE TABLE IF NOT EXISTS idempotency_keys (
    scope TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, stored_at REAL NOT NULL,
    status INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (scope, key)
);
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    service TEXT NOT NULL, time TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
    status INTEGER, fault TEXT, idempotency_key TEXT, duration_ms REAL
);
CREATE INDEX IF NOT EXISTS requests_service ON requests (service, id);
CREATE TABLE IF NOT EXISTS request_counts (
    service TEXT NOT NULL, outcome TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (service, outcome)
);
CREATE TABLE IF NOT EXISTS whatsapp_windows (
    phone_number_id TEXT NOT NULL, wa_id TEXT NOT NULL, last_inbound_at REAL NOT NULL,
    PRIMARY KEY (phone_number_id, wa_id)
);
CREATE TABLE IF NOT EXISTS records (
    service TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, fields TEXT NOT NULL, PRIMARY KEY (service, kind, id)
);
"""


def connect(home: Path) -> sqlite3.Connection:
    """Open the file, creating it on first use. Writes survive the process, not a power cut: no data is precious."""
    home.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(home / FILE_NAME, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    connection.executescript(_SCHEMA)
    return connection
