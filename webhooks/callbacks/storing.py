"""Writes callbacks: dedup ids, receipts and notices of a whole batch in one statement, and so in one transaction."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from webhooks.callbacks.applying import queue_of
from webhooks.callbacks.base import Notice
from webhooks.callbacks.reading import LONGEST_ID
from webhooks.doors import Door
from webhooks.models import OUR_ID, Receipt
from wedsync.correlation import current_or_new
from wedsync.database.async_connection import AsyncConnection
from wedsync.ids import new_id_text
from wedsync.live.fan_out import hints

UNREADABLE = "unreadable"
LONGEST_REASON = 500
LONGEST_TYPE = 100

# The ids are claimed in one order, so that two batches never deadlock; of equal ones in a batch the first counts. A
# transaction that meets an id that another is claiming waits for its commit, so a duplicate is answered only when the
# first is durable. PostgreSQL cannot know how many rows the JSON has: IS TRUE makes it look up the claimed ids in a
# hash table instead of comparing each with each.
_STORE = """
WITH request AS MATERIALIZED (
    SELECT given.*
    FROM json_to_recordset(%s::json) AS given(
        place integer, organization_id uuid, connection_id text, receipt_id uuid, verdict text, slug text,
        reason text, older_secret_id uuid, external_id text, event_type text, body text, body_size integer,
        body_hash text, headers jsonb, remote_address inet, correlation_id uuid
    )
    JOIN integrations_connection AS connection
        ON connection.id = given.connection_id AND connection.organization_id = given.organization_id
    ORDER BY connection.id
    FOR KEY SHARE OF connection
), notices AS MATERIALIZED (
    SELECT DISTINCT ON (request.connection_id, each.dedup_id)
        each.*, request.organization_id, request.connection_id, request.receipt_id, request.body_hash
    FROM json_to_recordset(%s::json) AS each(
        place integer, number integer, dedup_id text, id uuid, kind text, name text, provider_id text,
        occurred_at timestamptz, data jsonb
    )
    JOIN request ON request.place = each.place
    ORDER BY request.connection_id, each.dedup_id, each.place, each.number
), claimed AS (
    INSERT INTO webhooks_dedupid (connection_id, external_id, receipt_id, body_hash, received_at)
    SELECT connection_id, dedup_id, receipt_id, decode(body_hash, 'hex'), now()
    FROM notices ORDER BY connection_id, dedup_id
    ON CONFLICT (connection_id, external_id) DO NOTHING
    RETURNING receipt_id, external_id
), fresh AS MATERIALIZED (
    SELECT * FROM notices WHERE ((receipt_id, dedup_id) IN (SELECT receipt_id, external_id FROM claimed)) IS TRUE
), counted AS MATERIALIZED (
    SELECT place, count(*) AS new FROM fresh GROUP BY place
), receipt AS (
    INSERT INTO webhooks_receipt (
        id, organization_id, connection_id, verdict, signed, slug, reason, errors, unkept, older_secret_id,
        reprocessed_at, event_id, external_id, event_type, body, body_size, headers, remote_address, correlation_id,
        received_at
    )
    SELECT receipt_id, organization_id, connection_id, verdict, true, slug, reason, '[]', 0, older_secret_id,
        NULL, NULL, external_id, event_type, decode(body, 'base64'), body_size, headers, remote_address,
        correlation_id, now()
    FROM request WHERE place IN (SELECT place FROM counted)
), notice AS (
    INSERT INTO webhooks_providernotice (
        id, organization_id, connection_id, receipt_id, kind, name, provider_id, occurred_at, received_at, data
    )
    SELECT id, organization_id, connection_id, receipt_id, kind, name, provider_id, occurred_at, now(), data
    FROM fresh WHERE kind IS NOT NULL
)
SELECT request.place, coalesce(counted.new, 0)
FROM request LEFT JOIN counted ON counted.place = request.place
"""


@dataclass(frozen=True)
class CallbackReceived:
    """A verified request to store.

    Arguments:
        notices: the notices in it; empty if it could not be read.
        unreadable: why it could not be read; empty if it could.
        older_secret_id: the secret that signed it, if that is not the newest.
        headers: those that a receipt keeps.
    """

    door: Door
    body: bytes
    notices: Sequence[Notice]
    unreadable: str
    older_secret_id: str | None
    headers: dict[str, str]
    remote_address: str | None
    correlation_id: UUID = field(default_factory=current_or_new)


async def store_callbacks(database: AsyncConnection, batch: Sequence[CallbackReceived]) -> list[int | None]:
    """Store a batch in one commit, and hint its notices; answers in the order of the batch.

    Returns:
        How many notices of each request were new. ``None``: its connection was deleted, and nothing is stored.
    """
    requests, notices = await asyncio.to_thread(_as_json, batch)
    counts: dict[int, int] = dict(await database.fetch(_STORE, [requests, notices]))
    hints.notices_stored(
        (item.door.connection_id, queue_of(notice.kind))
        for place, item in enumerate(batch)
        if counts.get(place)
        for notice in item.notices
    )
    return [counts.get(place) for place in range(len(batch))]


def _as_json(batch: Sequence[CallbackReceived]) -> tuple[str, str]:
    """The requests and their notices; run outside the event loop, since a request may have thousands of statuses."""
    requests, notices = [], []
    for place, item in enumerate(batch):
        body_hash = hashlib.sha256(item.body).hexdigest()
        requests.append({"place": place, **_request(item, body_hash)})
        notices += [{"place": place, "number": number, **_notice(notice)} for number, notice in enumerate(item.notices)]
        if item.unreadable:
            notices.append({"place": place, "number": 0, "dedup_id": f"{UNREADABLE}:{body_hash}"})
    return json.dumps(requests), json.dumps(notices)


def _request(item: CallbackReceived, body_hash: str) -> dict[str, object]:
    names = sorted({notice.name for notice in item.notices})
    return {
        "organization_id": item.door.organization_id,
        "connection_id": item.door.connection_id,
        "receipt_id": new_id_text(),
        "verdict": Receipt.Verdict.UNRECOGNISED if item.unreadable else Receipt.Verdict.ACCEPTED,
        "slug": UNREADABLE if item.unreadable else "",
        "reason": item.unreadable[:LONGEST_REASON],
        "older_secret_id": item.older_secret_id,
        "external_id": item.notices[0].dedup_id if len(item.notices) == 1 else "",
        "event_type": ", ".join(names)[:LONGEST_TYPE],
        "body": base64.b64encode(item.body).decode(),
        "body_size": len(item.body),
        "body_hash": body_hash,
        "headers": item.headers,
        "remote_address": item.remote_address,
        "correlation_id": str(item.correlation_id),
    }


def _notice(notice: Notice) -> dict[str, object]:
    return {
        "dedup_id": notice.dedup_id,
        "id": new_id_text(),
        "kind": notice.kind,
        "name": notice.name,
        "provider_id": notice.provider_id,
        "occurred_at": notice.occurred_at.isoformat(),
        "data": _indexable(notice.data),
    }


def _indexable(data: dict[str, Any]) -> dict[str, Any]:
    """Our own id is indexed, and PostgreSQL refuses an index entry that is too long; no id of ours is."""
    if OUR_ID not in data:
        return data
    ours = data[OUR_ID]
    return {**data, OUR_ID: ours[:LONGEST_ID] if isinstance(ours, str) else None}
