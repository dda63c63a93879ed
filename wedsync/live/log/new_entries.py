"""Which channels have been written to lately, at the cost of what was written, however many are followed.

Entries have increasing ids, but transactions end in any order. So everything up to the newest entry of a moment is
known once all transactions of that moment have ended (docs/adr/0096).
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from wedsync.live.log.reader import ChannelKey, last_sequences

MOST_ENTRIES = 20_000  # since the last question; beyond that, asking for each followed channel costs less

# A transaction that writes an entry has written to its channel's row before, so it has an id when the entry gets its
# own: https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
_NOW = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
    coalesce((SELECT max(id) FROM live_channelentry), 0)
"""
_WRITTEN = """
SELECT channel.organization_id, channel.name, channel.last_sequence
FROM (SELECT DISTINCT channel_id FROM live_channelentry WHERE id > %s) AS written
JOIN live_channel channel ON channel.id = written.channel_id
"""


@dataclass(frozen=True)
class _Moment:
    """The newest entry of a moment, and the first transaction that began after it."""

    newest: int
    next_transaction: int


class NewEntries:
    """Remembers up to where one process has asked. Not for several threads at once."""

    def __init__(self) -> None:
        self._known: int | None = None
        self._moment: _Moment | None = None

    def forget(self) -> None:
        """Start over, after nobody has asked for a while."""
        self._known = self._moment = None

    def ask(self, followed: Collection[ChannelKey]) -> dict[ChannelKey, int]:
        """The last sequence of each channel written to since the last question, also of channels that nobody follows.

        Arguments:
            followed: the channels that must not be missed; all of them are looked up if this is not known.
        """
        with connection.cursor() as cursor:
            cursor.execute(_NOW)
            oldest_running, next_transaction, newest = cursor.fetchone()
        if self._known is None or not 0 <= newest - self._known <= MOST_ENTRIES:
            found = last_sequences(followed)
        else:
            found = _written_since(self._known)
        if self._known is not None and newest < self._known:  # another database, such as a restored one
            self.forget()
        if self._moment is None or oldest_running >= self._moment.next_transaction:
            self._known = self._moment.newest if self._moment else None
            self._moment = _Moment(newest, next_transaction)
        return found


def _written_since(entry_id: int) -> dict[ChannelKey, int]:
    with connection.cursor() as cursor:
        cursor.execute(_WRITTEN, [entry_id])
        rows: list[tuple[UUID, str, int]] = cursor.fetchall()
    return {ChannelKey(organization_id, name): last for organization_id, name, last in rows}
