"""Stored rows and the requests that targets accepted: read from PostgreSQL and the sandbox, judged elsewhere."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.chaos.copy import AttackedCopy, Plan
from bench.errors import BenchError
from bench.reconcile.checking import Log


@dataclass(frozen=True)
class Delivery:
    """One delivery.

    ``unknown``: attempts whose request was sent but whose answer was not seen, by lost workers too. ``place``: channel,
    plan step and generation, for people to read.
    """

    id: str
    system: str
    state: str
    reason: str
    unknown: int = 0
    place: str = ""


@dataclass(frozen=True)
class Event:
    """One stored event with all its deliveries."""

    id: str
    type: str
    routing: str
    effect: str
    deliveries: Sequence[Delivery] = ()


@dataclass(frozen=True)
class Arrival:
    """The requests at a target under one ``Idempotency-Key``: how many it accepted, and how many distinct bodies."""

    taken: int
    bodies: int = 1


NOTHING = Arrival(0, 0)


@dataclass(frozen=True)
class Ledger:
    """Events by the sender's id, arrivals by key, and channels."""

    events: Mapping[str, Event]
    arrivals: Mapping[str, Arrival]
    logs: Sequence[Log] = ()


def read(copy: AttackedCopy, plan: Plan, external_ids: Iterable[str]) -> Ledger:
    """Everything that these requests led to. Rows are read first, so that what they call delivered has arrived.

    Raises:
        psycopg2.OperationalError: PostgreSQL is away.
        BenchError: the sandbox does not answer, or has stopped counting.
    """
    events = _events(copy, plan, list(external_ids))
    return Ledger(events, _arrivals(copy), _logs(copy, plan))


def _events(copy: AttackedCopy, plan: Plan, external_ids: list[str]) -> dict[str, Event]:
    rows = copy.execute(
        "SELECT dedup.external_id, event.id::text, event.type, event.routing, event.effect FROM webhooks_dedupid dedup"
        " JOIN live_channelevent event ON event.id = dedup.receipt_id"
        " WHERE dedup.connection_id = %(connection)s AND dedup.external_id = ANY(%(ids)s)",
        {"connection": plan.facts.connection, "ids": external_ids},
    )
    deliveries = _deliveries(copy, [row[1] for row in rows])
    return {row[0]: Event(row[1], row[2], row[3], row[4], deliveries.get(row[1], ())) for row in rows}


def _deliveries(copy: AttackedCopy, event_ids: list[str]) -> Mapping[str, Sequence[Delivery]]:
    rows = copy.execute(
        "SELECT delivery.event_id::text, delivery.id::text, delivery.system_id::text, delivery.state,"
        " delivery.state_reason, (SELECT count(*) FROM integrations_attempt attempt"
        "  WHERE attempt.delivery_id = delivery.id AND attempt.outcome = 'unknown'),"
        " format('%%s, step %%s, generation %%s', delivery.channel, delivery.plan_step, delivery.generation)"
        " FROM integrations_delivery delivery WHERE delivery.event_id = ANY(%(ids)s::uuid[])",
        {"ids": event_ids},
    )
    found: dict[str, list[Delivery]] = defaultdict(list)
    for event_id, *delivery in rows:
        found[event_id].append(Delivery(*delivery))
    return found


def _logs(copy: AttackedCopy, plan: Plan) -> list[Log]:
    rows = copy.execute(
        "SELECT name, count(entry.id), coalesce(min(sequence), 1), coalesce(max(sequence), 0), last_sequence"
        " FROM live_channel channel LEFT JOIN live_channelentry entry ON entry.channel_id = channel.id"
        " WHERE organization_id = %(organization)s GROUP BY channel.id",
        {"organization": plan.facts.organization},
    )
    return [Log(*row) for row in rows]


KEPT = ("system_paused", "quiet_hours")
"""Reasons for which a held delivery waits for a person or the morning; for any other it continues by itself."""
UNSETTLED = """
SELECT
  (SELECT count(*) FROM live_channelevent WHERE organization_id = %(organization)s AND routing = 'pending'),
  (SELECT count(*) FROM integrations_delivery WHERE organization_id = %(organization)s
    AND (state IN ('pending', 'in_flight', 'scheduled') OR (state = 'held' AND state_reason != ALL(%(kept)s))))
"""


def unsettled(copy: AttackedCopy, plan: Plan) -> int:
    """How many events and deliveries the product must still process by itself.

    Raises:
        psycopg2.OperationalError: PostgreSQL is away.
    """
    ((events, deliveries),) = copy.execute(UNSETTLED, {"organization": plan.facts.organization, "kept": list(KEPT)})
    return int(events) + int(deliveries)


def _arrivals(copy: AttackedCopy) -> dict[str, Arrival]:
    report = copy.sandbox("GET", "tally")
    if report["beyond"]:
        raise BenchError("The sandbox cannot count more keys; play fewer faults, or at a lower rate.")
    return {key: Arrival(entry["taken"], entry["bodies"]) for key, entry in report["tally"].items()}
