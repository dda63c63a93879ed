"""Writes accepted requests: dedup ids, receipts, events and channel entries of a whole batch in one statement.

Order (docs/adr/0006): connections, then dedup ids sorted by (connection, id), so that two batches never deadlock; then
the rows; last the counters of the channels, only for requests that are new.
"""

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import orjson
from django.db import connection, transaction
from psycopg2.errors import ForeignKeyViolation

from webhooks.vendor_events.envelope import Accepted
from webhooks.vendor_events.wedding_lookup import FIND, Clue, Match, Recent, clue, find_parameters, matches
from wedsync.database.async_connection import AsyncConnection, Row
from wedsync.ids import new_id_text
from wedsync.live import channels
from wedsync.live.event_types.catalogue import CATALOGUE, EMERGENCY
from wedsync.live.fan_out import hints
from wedsync.live.fan_out.hints import RouteHint
from wedsync.queues import Priority

# Connections are locked first, so that none can be deleted under its requests; their organization and system come from
# PostgreSQL, not from the cache.
_DOORS = """
doors AS MATERIALIZED (
    SELECT id, organization_id, system_id, state = 'paused' AS paused FROM integrations_connection
    WHERE id IN (SELECT connection_id FROM given) AND state <> 'disabled' ORDER BY id FOR KEY SHARE
)"""
_GIVEN = """
given AS MATERIALIZED (
    SELECT *, sha256(convert_to(body, 'UTF8')) AS body_hash FROM json_to_recordset(%s::json) AS given (
        place integer, id uuid, connection_id text, external_id text, body text, headers jsonb, remote_address inet,
        older_secret_id uuid, vendor_type text, event_type text, payload jsonb, occurred_at timestamptz, priority text,
        correlation_id uuid, wedding_id uuid, channels json, again boolean, emergency boolean)
)"""
_RECEIPT = """
INSERT INTO webhooks_receipt (id, organization_id, connection_id, verdict, signed, slug, reason, errors, unkept,
    alarm, older_secret_id, event_id, external_id, event_type, body, body_size, headers, remote_address,
    correlation_id, received_at)"""

# PostgreSQL executes data-modifying CTEs that nothing reads in reverse order: the channels' counters are locked last,
# so that two writers block each other only for a moment. An id claimed by a receipt that is reprocessed counts as that
# receipt's own.
WRITE = f"""
WITH {_GIVEN}, {_DOORS}, claimed AS (
    INSERT INTO webhooks_dedupid (connection_id, external_id, receipt_id, body_hash, received_at)
    SELECT given.connection_id, given.external_id, given.id, given.body_hash, now()
    FROM given JOIN doors ON doors.id = given.connection_id ORDER BY given.connection_id, given.external_id
    ON CONFLICT (connection_id, external_id) DO NOTHING RETURNING receipt_id
), fresh AS MATERIALIZED (
    SELECT given.*, doors.organization_id, doors.system_id,
        CASE WHEN wedding_id IS NULL THEN 'unlinked' WHEN doors.paused THEN 'held' ELSE 'pending' END AS routing
    FROM given JOIN doors ON doors.id = given.connection_id
    WHERE given.id IN (SELECT receipt_id FROM claimed) OR given.again AND given.id = (
        SELECT known.receipt_id FROM webhooks_dedupid known
        WHERE known.connection_id = given.connection_id AND known.external_id = given.external_id)
), appearing AS MATERIALIZED (
    SELECT fresh.id AS event_id, organization_id, name,
        row_number() OVER (PARTITION BY organization_id, name ORDER BY place) AS nth
    FROM fresh, json_array_elements_text(channels) AS name WHERE event_type IS NOT NULL
), counters AS (
    INSERT INTO live_channel (id, organization_id, name, last_sequence, epoch)
    SELECT gen_random_uuid(), organization_id, name, count(*), gen_random_uuid() FROM appearing
    GROUP BY organization_id, name ORDER BY organization_id, name
    ON CONFLICT (organization_id, name) DO UPDATE
        SET last_sequence = live_channel.last_sequence + EXCLUDED.last_sequence
    RETURNING id, organization_id, name, last_sequence
), entries AS (
    INSERT INTO live_channelentry (channel_id, sequence, event_id)
    SELECT counters.id, last_sequence - count(*) OVER (PARTITION BY counters.id) + nth, event_id
    FROM appearing JOIN counters USING (organization_id, name)
), stored AS (
    INSERT INTO live_channelevent (id, organization_id, wedding_id, type, payload, occurred_at, received_at, source,
        source_system_id, source_connection_id, priority, correlation_id, hops, routing, routing_failures, effect)
    SELECT id, organization_id, wedding_id, event_type, payload, occurred_at, now(), 'webhook', system_id,
        connection_id, priority, correlation_id, 0, routing, 0, 'pending'
    FROM fresh WHERE event_type IS NOT NULL
), receipts AS (
    {_RECEIPT}
    SELECT id, organization_id, connection_id, CASE WHEN event_type IS NULL THEN 'unrecognised' ELSE 'accepted' END,
        true, '', '', '[]', 0, CASE WHEN emergency AND routing = 'held' THEN 'due' ELSE '' END, older_secret_id,
        CASE WHEN event_type IS NOT NULL THEN id END, external_id, vendor_type,
        convert_to(body, 'UTF8'), octet_length(body), headers, remote_address, correlation_id, now()
    FROM fresh
    ON CONFLICT (id) DO UPDATE SET verdict = EXCLUDED.verdict, slug = '', reason = '', errors = '[]',
        event_id = EXCLUDED.event_id, external_id = EXCLUDED.external_id, event_type = EXCLUDED.event_type,
        reprocessed_at = now()
)
SELECT place, routing FROM fresh
"""

# For repeated ids: the first request's receipt; one with another body also gets its own receipt.
COMPARE = f"""
WITH {_GIVEN}, {_DOORS}, known AS MATERIALIZED (
    SELECT given.place, dedup.receipt_id, dedup.body_hash = given.body_hash AS same
    FROM given JOIN webhooks_dedupid dedup USING (connection_id, external_id)
), reused AS (
    {_RECEIPT}
    SELECT given.id, doors.organization_id, doors.id, 'reused_id', true, 'event-id-reused',
        'its id was used before, with another body', '[]', 0, CASE WHEN emergency THEN 'due' ELSE '' END,
        older_secret_id, NULL::uuid, external_id, vendor_type,
        convert_to(body, 'UTF8'), octet_length(body), headers, remote_address, correlation_id, now()
    FROM given JOIN known USING (place) JOIN doors ON doors.id = given.connection_id
    WHERE NOT known.same AND NOT given.again
)
SELECT known.place, known.receipt_id::text, known.same FROM known JOIN given USING (place)
JOIN doors ON doors.id = given.connection_id
"""


class StoreResult(StrEnum):
    """The result of storing a request."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    UNRECOGNISED = "unrecognised"
    REUSED_ID = "reused_id"
    NO_CONNECTION = "no_connection"  # deleted or disabled since it was looked up


@dataclass(frozen=True)
class Stored:
    """The data of the answer: the first request's id, and whether this was the first."""

    id: str
    status: StoreResult


@dataclass
class Written:
    """The result of a batch: an answer for each request, and the hints to send after the commit."""

    answers: list[Stored]
    routes: list[RouteHint]
    channels: list[str]  # keys for the sockets' hints
    alarms: list[str]  # receipts of emergencies that staff must hear of


Steps = Generator[tuple[str, list[str]], list[Row], Written]


class Store:
    """Stores batches for the writers of a process, which share recent look-ups of weddings."""

    def __init__(self) -> None:
        self._recent = Recent()

    async def batch(self, database: AsyncConnection, batch: Sequence[Accepted]) -> list[Stored]:
        """Store a batch; returns the answers in its order, after the commit and the hints."""
        steps = _steps(batch, self._recent.matches())
        try:
            step = next(steps)
            while True:
                step = steps.send(await database.fetch(*step))
        except StopIteration as end:
            written: Written = end.value
        except ForeignKeyViolation:
            self._recent.forget()
            raise
        hints.committed(written.routes, written.channels)
        hints.alarms_due(written.alarms)
        return written.answers


def store(batch: Sequence[Accepted]) -> list[Stored]:
    """The same on Django's connection and in its transaction; hints are sent after the commit."""
    steps = _steps(batch, {})
    with transaction.atomic(), connection.cursor() as cursor:
        try:
            step = next(steps)
            while True:
                cursor.execute(*step)
                step = steps.send(cursor.fetchall())
        except StopIteration as end:
            written: Written = end.value
        transaction.on_commit(lambda: hints.committed(written.routes, written.channels))
        transaction.on_commit(lambda: hints.alarms_due(written.alarms))
    return written.answers


def _steps(batch: Sequence[Accepted], found: dict[Clue, Match]) -> Steps:
    """Yields the statements of a batch with their parameters, is sent their rows, and returns what was written.

    ``found``: known matches of weddings; new ones are added.
    """
    clues = [clue(item) for item in batch]
    wanted = [each for each in dict.fromkeys(clues) if each not in found and each.leads_somewhere]
    if wanted:
        found |= matches(wanted, (yield FIND, find_parameters(wanted)))
    drafts = [_Draft(item, found.get(each)) for item, each in zip(batch, clues, strict=True)]
    fresh: dict[int, str] = dict((yield WRITE, [_as_json([draft.row(place) for place, draft in enumerate(drafts)])]))
    answers = {place: drafts[place].answer() for place in fresh}
    alarms = [drafts[place].id for place, routing in fresh.items() if routing == "held" and drafts[place].is_emergency]
    repeated = [draft.row(place) for place, draft in enumerate(drafts) if place not in fresh]
    if repeated:
        for place, receipt_id, same in (yield COMPARE, [_as_json(repeated)]):
            answers[place] = Stored(receipt_id, StoreResult.DUPLICATE if same else StoreResult.REUSED_ID)
            if not same and drafts[place].is_emergency:
                alarms.append(drafts[place].id)
    return Written(
        [answers.get(place) or Stored(draft.id, StoreResult.NO_CONNECTION) for place, draft in enumerate(drafts)],
        [drafts[place].route_hint for place, routing in fresh.items() if drafts[place].is_hinted(routing)],
        list({key: None for place in fresh for key in drafts[place].channel_keys}),
        alarms,
    )


def _as_json(rows: Sequence[dict[str, object]]) -> str:
    try:
        return orjson.dumps(rows).decode()
    except orjson.JSONEncodeError:  # whole numbers of more than 64 bits
        return json.dumps(rows)


class _Draft:
    """A request with all that its rows need."""

    def __init__(self, item: Accepted, match: Match | None) -> None:
        self.item = item
        self.id = item.receipt_id or new_id_text()
        self.wedding_id = match.wedding_id if match else None
        envelope, door = item.envelope, item.door
        self.channels: list[str] = []
        if envelope.event_type:
            self.channels = channels.names_for(
                envelope.event_type,
                organization_id=door.organization_id,
                wedding_id=self.wedding_id,
                supplier_ids=match.supplier_ids if match else (),
                source_system_id=door.system_id,
                payload=envelope.payload,
            )

    def row(self, place: int) -> dict[str, object]:
        """The row for the statements."""
        item, envelope = self.item, self.item.envelope
        row: dict[str, object] = {
            "place": place,
            "id": self.id,
            "connection_id": item.door.connection_id,
            "external_id": envelope.external_id,
            "body": item.body.decode(),
            "headers": item.headers,
            "remote_address": item.remote_address,
            "older_secret_id": item.older_secret_id,
            "vendor_type": envelope.vendor_type,
            "again": item.receipt_id is not None,
            "emergency": self.is_emergency,
            "correlation_id": str(item.correlation_id),
        }
        if envelope.event_type:
            row |= {
                "event_type": envelope.event_type,
                "payload": {**envelope.payload, **({"wedding_id": self.wedding_id} if self.wedding_id else {})},
                "occurred_at": envelope.occurred_at.isoformat(),
                "priority": CATALOGUE[envelope.event_type].priority.value,
                "wedding_id": self.wedding_id,
                "channels": self.channels,
            }
        return row

    def is_hinted(self, routing: str) -> bool:
        """Whether to hint it to a worker: it can be routed, or staff must hear that it names no wedding."""
        event_type = self.item.envelope.event_type
        return routing == "pending" or (
            routing == "unlinked" and bool(event_type) and CATALOGUE[event_type or ""].priority == Priority.URGENT
        )

    @property
    def is_emergency(self) -> bool:
        """Whether staff must hear of it if it cannot be routed."""
        return self.item.envelope.event_type == EMERGENCY

    @property
    def route_hint(self) -> RouteHint:
        """The hint for an event that a worker must route."""
        return RouteHint(self.id, CATALOGUE[self.item.envelope.event_type or ""].priority)

    @property
    def channel_keys(self) -> list[str]:
        """The keys of the channels that it appears on, for the sockets' hints."""
        return [hints.channel_key(self.item.door.organization_id, name) for name in self.channels]

    def answer(self) -> Stored:
        """The answer for the first request with its id."""
        return Stored(self.id, StoreResult.ACCEPTED if self.item.envelope.event_type else StoreResult.UNRECOGNISED)
