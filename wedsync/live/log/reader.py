"""Reads the log: the positions of channels, and their events as text for any number of clients."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import orjson
from django.db import connection

from wedsync.database.async_connection import AsyncConnection


class ChannelKey(NamedTuple):
    """A channel by its name, whether or not anything has been written to it."""

    organization_id: UUID
    name: str


@dataclass(frozen=True)
class Position:
    """A channel's position.

    Attributes:
        epochs: those that a cursor may name; clients are told the first one.
        last: the sequence of its last entry.
        oldest: the first sequence that the log still keeps; the next one to come if it keeps none.
    """

    epochs: tuple[str, ...]
    last: int
    oldest: int


class Entry(NamedTuple):
    """One event on a channel.

    ``text``: what clients are told, as JSON; docs/developers/realtime-requests.md, "Events".
    """

    sequence: int
    text: bytes


_POSITIONS = """
SELECT asked.organization_id, asked.name, seed.seed, channel.epoch, channel.last_sequence, (
    SELECT sequence FROM live_channelentry WHERE channel_id = channel.id ORDER BY sequence LIMIT 1
)
FROM unnest(%s::uuid[], %s::text[]) AS asked (organization_id, name)
LEFT JOIN live_epochseed seed ON seed.organization_id = asked.organization_id
LEFT JOIN live_channel channel ON channel.organization_id = asked.organization_id AND channel.name = asked.name
"""
_POSITIONS_OF_STATE = """
WITH waiting AS (
    SELECT entry.channel_id, min(entry.sequence) AS first
    FROM live_channelevent event JOIN live_channelentry entry ON entry.event_id = event.id
    WHERE event.wedding_id = ANY(%s::uuid[]) AND event.routing = 'pending' AND event.effect = 'pending'
    GROUP BY entry.channel_id
)
SELECT asked.organization_id, asked.name, seed.seed, channel.epoch, least(channel.last_sequence, waiting.first - 1)
FROM unnest(%s::uuid[], %s::text[]) AS asked (organization_id, name)
LEFT JOIN live_epochseed seed ON seed.organization_id = asked.organization_id
LEFT JOIN live_channel channel ON channel.organization_id = asked.organization_id AND channel.name = asked.name
LEFT JOIN waiting ON waiting.channel_id = channel.id
"""
_LAST = """
SELECT channel.organization_id, channel.name, channel.last_sequence
FROM unnest(%s::uuid[], %s::text[]) AS asked (organization_id, name)
JOIN live_channel channel ON channel.organization_id = asked.organization_id AND channel.name = asked.name
"""
_AFTER = """
SELECT asked.number, entry.sequence, event.id::text, event.type, event.priority,
    event.occurred_at AT TIME ZONE 'UTC', event.wedding_id::text, event.payload::text
FROM unnest(%s::text[]::uuid[], %s::text[], %s::bigint[])
    WITH ORDINALITY AS asked (organization_id, name, after, number)
JOIN live_channel channel ON channel.organization_id = asked.organization_id AND channel.name = asked.name
    AND channel.last_sequence > asked.after
CROSS JOIN LATERAL (
    SELECT sequence, event_id FROM live_channelentry
    WHERE channel_id = channel.id AND sequence > asked.after ORDER BY sequence LIMIT %s
) AS entry
JOIN live_channelevent event ON event.id = entry.event_id
ORDER BY asked.number, entry.sequence
"""


def positions(keys: Collection[ChannelKey]) -> dict[ChannelKey, Position]:
    """The position of each channel; a channel that has never been written to is at 0, and following it adds no row.

    Until there is a row, the epoch is derived from the name. A client that was told it may keep using it, since a
    channel's row, once written, stays (docs/adr/0059).
    """
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(_POSITIONS, _columns(keys))
        for organization_id, name, seed, epoch, last, oldest in cursor.fetchall():
            key, at = ChannelKey(organization_id, name), last or 0
            found[key] = Position(_epochs(key, seed, epoch), at, oldest or at + 1)
    return found


def positions_of_state(
    organization_id: UUID, names: Collection[str], wedding_ids: Collection[UUID]
) -> dict[str, dict[str, Any]]:
    """From where a client follows channels whose weddings it has just loaded: ``{name: {"last", "epoch"}}``.

    Call it in the :func:`wedsync.database.snapshots.snapshot` in which the weddings are read. An event of theirs that
    waits for its routing has not changed them yet, so the position is before it. Following from there, a client gets
    everything that the loaded state lacks. It may get again what the state has already, but only what came after such
    an event: an event sets values, and a list of events has their ids.
    """
    keys = [ChannelKey(organization_id, name) for name in names]
    with connection.cursor() as cursor:
        cursor.execute(_POSITIONS_OF_STATE, [[str(each) for each in wedding_ids], *_columns(keys)])
        return {
            name: {"last": last or 0, "epoch": _epochs(ChannelKey(organization, name), seed, epoch)[0]}
            for organization, name, seed, epoch, last in cursor.fetchall()
        }


def last_sequences(keys: Collection[ChannelKey]) -> dict[ChannelKey, int]:
    """The last sequence of each channel that has been written to, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST, _columns(keys))
        return {ChannelKey(organization_id, name): last for organization_id, name, last in cursor.fetchall()}


def entries_after(cursors: Mapping[ChannelKey, int], most: int) -> dict[ChannelKey, list[Entry]]:
    """The entries after a cursor of each channel, oldest first, at most ``most`` of each. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_AFTER, _asked(cursors, most))
        return _entries(list(cursors), cursor.fetchall())


async def fetch_entries_after(
    log: AsyncConnection, cursors: Mapping[ChannelKey, int], most: int
) -> dict[ChannelKey, list[Entry]]:
    """Like :func:`entries_after`, but on the event loop, without a thread."""
    return _entries(list(cursors), await log.fetch(_AFTER, _asked(cursors, most)))


def _asked(cursors: Mapping[ChannelKey, int], most: int) -> list[Any]:
    return [*_columns(cursors), list(cursors.values()), most]


def _entries(keys: Sequence[ChannelKey], rows: Iterable[tuple[Any, ...]]) -> dict[ChannelKey, list[Entry]]:
    found: dict[ChannelKey, list[Entry]] = {}
    for number, sequence, *event in rows:
        key = keys[number - 1]
        found.setdefault(key, []).append(Entry(sequence, _text(key.name, sequence, *event)))
    return found


def _columns(keys: Collection[ChannelKey]) -> list[list[str]]:
    return [[str(key.organization_id) for key in keys], [key.name for key in keys]]


def _epochs(key: ChannelKey, seed: UUID | None, epoch: UUID | None) -> tuple[str, ...]:
    before_any_row = str(uuid5(seed or key.organization_id, key.name))
    return (before_any_row,) if epoch is None else (str(epoch), before_any_row)


def _text(
    name: str, sequence: int, id_: str, kind: str, priority: str, at: datetime, wedding: str | None, payload: str
) -> bytes:
    event = {
        "id": id_,
        "type": kind,
        "priority": priority,
        "occurred_at": at,
        "wedding_id": wedding,
        "payload": orjson.Fragment(payload),  # PostgreSQL has written it as JSON already
    }
    return orjson.dumps(
        {"op": "event", "channel": name, "sequence": sequence, "event": event}, option=orjson.OPT_NAIVE_UTC
    )
