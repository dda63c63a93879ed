"""Idempotency keys and the answers stored for them."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from sandbox.wire import Reply

LIFETIME_SECONDS = 24 * 3600
"""Resend's published window; the vendors' contract says the same."""


class KeyReused(Exception):
    """The key was used before, for another request."""


@dataclass(frozen=True)
class Claim:
    """A key within its scope (service and account), and the fingerprint of the request that carries it."""

    scope: str
    key: str
    fingerprint: str


class IdempotencyKeys:
    """The keys of the last 24 hours. Only successful answers are remembered: a refused request may be corrected."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        oldest = time.time() - LIFETIME_SECONDS
        connection.execute("DELETE FROM idempotency_keys WHERE stored_at <= ?", (oldest,))

    def replay(self, claim: Claim) -> Reply | None:
        """The answer that this same request got before, if any.

        Raises:
            KeyReused: if another request used this key.
        """
        row = self._connection.execute(
            "SELECT fingerprint, status, body FROM idempotency_keys WHERE scope = ? AND key = ? AND stored_at > ?",
            (claim.scope, claim.key, time.time() - LIFETIME_SECONDS),
        ).fetchone()
        if row is None:
            return None
        if row["fingerprint"] != claim.fingerprint:
            raise KeyReused
        return Reply(row["status"], row["body"])

    def remember(self, claim: Claim, reply: Reply) -> None:
        """Store the answer to an accepted request."""
        self._connection.execute(
            "INSERT OR REPLACE INTO idempotency_keys (scope, key, fingerprint, stored_at, status, body)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (claim.scope, claim.key, claim.fingerprint, time.time(), reply.status, reply.body),
        )
