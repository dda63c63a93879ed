"""Receipts of refused requests that named a connection.

Signed requests that could not be accepted are kept as received: their sender is authentic, and staff can reprocess
them. Of the rest only a sample is kept, so that junk cannot fill the disk (docs/adr/0023).
"""

import base64
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from webhooks.doors import Door
from webhooks.models import Receipt
from webhooks.requests.refusals import Refused
from wedsync.correlation import current_or_new
from wedsync.database.async_connection import AsyncConnection
from wedsync.ids import new_id_text
from wedsync.live.fan_out import hints

KEPT_A_MINUTE = 20  # of each connection, in each web process
KEPT_BYTES = 4096
LONGEST_REASON = 500
MOST_CONNECTIONS = 10_000
KEPT_WHOLE = {400, 422}


@dataclass(slots=True)
class Rejected:
    """A refused request. ``size``: bytes of its whole body; ``body`` may be only the beginning.

    ``unkept``: how many earlier refusals were only counted. ``emergency``: staff must hear of it.
    """

    door: Door
    refused: Refused
    signed: bool
    body: bytes
    headers: dict[str, str]
    remote_address: str | None
    older_secret_id: str | None = None
    unkept: int = 0
    emergency: bool = False
    correlation_id: UUID = field(default_factory=current_or_new)
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = len(self.body)

    @property
    def is_kept_whole(self) -> bool:
        """Whether the whole request is kept, which its sender may rely on."""
        status = self.refused.problem.status
        return self.signed and status != 429 and (self.emergency or status in KEPT_WHOLE)


@dataclass(slots=True)
class _Minute:
    number: int
    kept: int = 0
    unkept: int = 0


class Sample:
    """Chooses which refused requests leave a receipt."""

    def __init__(self) -> None:
        self._minutes: dict[str, _Minute] = {}

    def chooses(self, rejected: Rejected) -> bool:
        """Whether to keep this one; if so, cuts it to size and notes how many were not kept."""
        minute = self._minute(rejected.door.connection_id)
        if minute.kept >= KEPT_A_MINUTE:
            minute.unkept += 1
            return False
        minute.kept += 1
        rejected.unkept, minute.unkept = minute.unkept, 0
        rejected.body = rejected.body[:KEPT_BYTES]
        return True

    def _minute(self, connection_id: str) -> _Minute:
        number = int(time.monotonic() // 60)
        minute = self._minutes.get(connection_id)
        if minute is None:
            if len(self._minutes) >= MOST_CONNECTIONS:
                self._minutes.clear()
            minute = self._minutes[connection_id] = _Minute(number)
        if minute.number != number:
            minute.number, minute.kept = number, 0
        return minute


KEEP = """
INSERT INTO webhooks_receipt (id, organization_id, connection_id, verdict, signed, slug, reason, errors, unkept,
    alarm, older_secret_id, external_id, event_type, body, body_size, headers, remote_address, correlation_id,
    received_at)
SELECT given.id, connection.organization_id, connection.id, 'rejected', signed, slug, reason, errors, unkept,
    alarm, older_secret_id, external_id, event_type, decode(body, 'base64'), size, headers, remote_address,
    correlation_id, now()
FROM json_to_recordset(%s::json) AS given (
    place integer, id uuid, connection_id text, signed boolean, slug text, reason text, errors jsonb, unkept integer,
    alarm text, older_secret_id uuid, external_id text, event_type text, body text, size integer, headers jsonb,
    remote_address inet, correlation_id uuid)
JOIN integrations_connection connection ON connection.id = given.connection_id
ORDER BY place FOR KEY SHARE OF connection
RETURNING id
"""


async def store_rejected(database: AsyncConnection, batch: Sequence[Rejected]) -> list[None]:
    """Store the receipts of a batch; requests whose connection has been deleted leave none."""
    rows = [_row(place, rejected) for place, rejected in enumerate(batch)]
    await database.fetch(KEEP, [json.dumps(rows)])
    hints.alarms_due(str(row["id"]) for row in rows if row["alarm"])
    return [None] * len(batch)


def _row(place: int, rejected: Rejected) -> dict[str, object]:
    problem = rejected.refused.problem
    return {
        "place": place,
        "id": new_id_text(),
        "connection_id": rejected.door.connection_id,
        "signed": rejected.signed,
        "slug": problem.slug,
        "reason": problem.detail[:LONGEST_REASON],
        "errors": problem.extra.get("errors", []),
        "unkept": rejected.unkept,
        "alarm": Receipt.Alarm.DUE.value if rejected.emergency else "",
        "older_secret_id": rejected.older_secret_id,
        "external_id": rejected.refused.external_id,
        "event_type": rejected.refused.vendor_type,
        "body": base64.b64encode(rejected.body).decode(),
        "size": rejected.size,
        "headers": rejected.headers,
        "remote_address": rejected.remote_address,
        "correlation_id": str(rejected.correlation_id),
    }
