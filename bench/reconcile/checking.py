"""The rules between senders' answers and stored rows. Reading is separate from judging."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.ground import Facts, Ground
from bench.reconcile.sending import Sent

CHANNELS = {"capacity.updated": 2, "guests.changed": 2, "setup.scheduled": 1, "catering.updated": 1}
"""How many channels an event of the vendor's type appears on: the couple's and its one supplier's, or only the latter.

docs/developers/event-types.md.
"""


@dataclass(frozen=True)
class Stored:
    """Everything stored under one id of a vendor. ``entries``: how many channels its event appears on."""

    dedup_ids: tuple[str, ...]
    receipts: tuple[str, ...]
    events: tuple[str, ...]
    entries: int
    event_type: str


@dataclass(frozen=True)
class Log:
    """One channel's sequences."""

    name: str
    entries: int
    first: int
    last: int
    counter: int

    @property
    def whole(self) -> bool:
        """Whether they run from 1 to the counter without a gap."""
        return self.first == 1 and self.entries == self.last == self.counter


@dataclass(frozen=True)
class Found:
    """The stored rows: by the vendor's ids, by channel, and the number of events without a receipt."""

    stored: Mapping[str, Stored]
    logs: Sequence[Log]
    orphans: int


def read(ground: Ground, facts: Facts) -> Found:
    """Everything received on one connection, and its organization's channels."""
    return Found(_stored(ground, facts), _logs(ground, facts), _orphans(ground, facts))


def _stored(ground: Ground, facts: Facts) -> dict[str, Stored]:
    rows = ground.execute(
        "SELECT external_id, array_agg(DISTINCT dedup), array_agg(DISTINCT receipt), "
        "array_agg(DISTINCT event.id::text), max(event_type), "
        "(SELECT count(*) FROM live_channelentry WHERE event_id = ANY(array_agg(event.id))) "
        "FROM (SELECT external_id, receipt_id::text AS dedup, NULL AS receipt, receipt_id AS event_id, '' AS event_type"
        f" FROM webhooks_dedupid WHERE connection_id = '{facts.connection}'"
        " UNION ALL SELECT external_id, NULL, id::text, event_id, event_type"
        f" FROM webhooks_receipt WHERE connection_id = '{facts.connection}' AND verdict = 'accepted'"
        ") found LEFT JOIN live_channelevent event ON event.id = found.event_id"
        f" AND event.organization_id = '{facts.organization}' GROUP BY external_id"
    )
    return {
        external_id: Stored(_present(dedup), _present(receipts), _present(events), entries, event_type)
        for external_id, dedup, receipts, events, event_type, entries in rows
    }


def _present(values: Sequence[str | None]) -> tuple[str, ...]:
    return tuple(value for value in values if value is not None)


def _logs(ground: Ground, facts: Facts) -> list[Log]:
    rows = ground.execute(
        "SELECT name, count(entry.id), coalesce(min(sequence), 1), coalesce(max(sequence), 0), last_sequence"
        " FROM live_channel channel LEFT JOIN live_channelentry entry ON entry.channel_id = channel.id"
        f" WHERE organization_id = '{facts.organization}' GROUP BY channel.id"
    )
    return [Log(*row) for row in rows]


def _orphans(ground: Ground, facts: Facts) -> int:
    return ground.number(
        "SELECT count(*) FROM live_channelevent event"
        f" WHERE source = 'webhook' AND organization_id = '{facts.organization}' AND NOT EXISTS"
        f" (SELECT 1 FROM webhooks_receipt WHERE organization_id = '{facts.organization}' AND event_id = event.id)"
    )


def faults_of(sent: Mapping[str, Sent], found: Found) -> Counter[str]:
    """How often each rule is broken; empty if all hold."""
    broken: Counter[str] = Counter()
    for external_id, told in sent.items():
        if stored := found.stored.get(external_id):
            broken.update(_half(stored, told))
        else:
            broken["answered 200 or 202, but nothing is stored"] += told.taken
    broken["stored, but no sender sent it"] += len(found.stored.keys() - sent.keys())
    broken["an event has no receipt"] += found.orphans
    broken["a channel's sequences have a gap, or its counter is wrong"] += sum(not log.whole for log in found.logs)
    return +broken


def _half(stored: Stored, told: Sent) -> list[str]:
    wrong = []
    for name, ids in (("dedup id", stored.dedup_ids), ("receipt", stored.receipts), ("event", stored.events)):
        if len(ids) != 1:
            wrong.append(f"a stored id does not have exactly one {name}")
    if len({*stored.dedup_ids, *stored.receipts, *stored.events, *told.event_ids}) > 1:
        wrong.append("dedup id, receipt, event and answer name different ids")
    if stored.entries != CHANNELS.get(stored.event_type):
        wrong.append("an event is not on each of its channels")
    return wrong
