"""Claiming a due delivery for one worker: one conditional write with a lease (docs/adr/0004).

The claim already counts the attempt; a worker that releases the delivery without a call undoes that. Written in SQL,
since it runs for each attempt and returns what the attempt needs in the same round trip.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import JSONField, Model, QuerySet

from integrations.models import Delivery, System
from integrations.states import State
from wedsync.database.prepared import Prepared
from wedsync.ids import new_id
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority

EARLY = 0.5  # seconds that a message may arrive before its row is due
URGENT_PRECEDENCE = 1  # first attempts and retries of urgent deliveries: 0 and 1
LEAST_PRECEDENCE = 2**15 - 1


class _Columns:
    """A model's columns in a statement, and a row of them as an instance."""

    def __init__(self, model: type[Model], alias: str) -> None:
        fields = model._meta.concrete_fields  # noqa: SLF001
        self._model = model
        self._names = [field.attname for field in fields]
        self._json = [place for place, field in enumerate(fields) if isinstance(field, JSONField)]
        self.text = ", ".join(f"{alias}.{field.column}" for field in fields)
        self.count = len(fields)

    def instance(self, values: Sequence[Any]) -> Any:
        row = list(values)
        for place in self._json:
            row[place] = json.loads(row[place]) if row[place] is not None else None
        return self._model.from_db("default", self._names, row)


_DELIVERY, _EVENT = _Columns(Delivery, "delivery"), _Columns(ChannelEvent, "event")

# The waiting states are literals, so that the indexes of waiting deliveries apply. The commit does not wait for the
# disk: if a crash of PostgreSQL loses it, the lease is lost too, and with it whatever the worker writes.
_CLAIM = f"""
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
UPDATE integrations_delivery AS delivery
SET state = 'in_flight', state_reason = '', lease_token = %(token)s,
    lease_until = now() + CASE WHEN delivery.priority = 'urgent' THEN %(urgent_lease)s ELSE %(lease)s END
        * interval '1 second', attempt_count = attempt_count + 1, has_turn = false
FROM quick, integrations_system AS system, live_channelevent AS event
WHERE {{which}} AND system.id = delivery.system_id AND event.id = delivery.event_id
    AND delivery.state IN ('pending', 'scheduled', 'held') AND delivery.expires_at > now()
RETURNING system.state, {_DELIVERY.text}, {_EVENT.text}
"""  # noqa: S608
_CLAIM_ONE = Prepared(
    "claim_one",
    _CLAIM.format(which="delivery.id = %(id)s AND delivery.next_attempt_at <= now() + %(early)s * interval '1 second'"),
    {"token": "uuid", "lease": "float8", "urgent_lease": "float8", "id": "uuid", "early": "float8"},
)
_CLAIM_NEXT = Prepared(
    "claim_next",
    _CLAIM.format(
        which="""delivery.id = (
            SELECT id FROM integrations_delivery
            WHERE system_id = %(system)s AND precedence <= %(most)s AND state IN ('pending', 'scheduled', 'held')
                AND next_attempt_at <= now() AND expires_at > now()
            ORDER BY precedence, next_attempt_at
            LIMIT 1
            FOR UPDATE SKIP LOCKED
        )"""
    ),
    {"token": "uuid", "lease": "float8", "urgent_lease": "float8", "system": "uuid", "most": "int"},
)


@dataclass(frozen=True)
class Lease:
    """A claimed delivery, and the token that every further write to it requires.

    ``system_state``: the system's state when the delivery was claimed.
    """

    delivery: Delivery
    token: UUID
    system_state: System.Status

    @property
    def row(self) -> QuerySet[Delivery]:
        """The delivery's row, or no row once the lease is lost."""
        return Delivery.objects.filter(id=self.delivery.id, lease_token=self.token, state=State.IN_FLIGHT)


def claim(delivery_id: UUID) -> Lease | None:
    """Claim a delivery if it is due. Expired ones are left to the sweep."""
    return _claim(_CLAIM_ONE, {"id": delivery_id, "early": EARLY})


def claim_next(system_id: UUID, *, urgent_only: bool) -> Lease | None:
    """Claim what is due for a system: the most urgent first, then first attempts before retries, then the oldest."""
    most = URGENT_PRECEDENCE if urgent_only else LEAST_PRECEDENCE
    return _claim(_CLAIM_NEXT, {"system": system_id, "most": most})


def priority_of(precedence: int) -> Priority:
    """The priority of a precedence."""
    return list(reversed(Priority))[precedence // 2]


def _claim(statement: Prepared, which: dict[str, Any]) -> Lease | None:
    token = new_id()
    leases = {"lease": settings.LEASE_SECONDS, "urgent_lease": settings.URGENT_LEASE_SECONDS}
    _, found = statement.run({**which, **leases, "token": token})
    if found is None:
        return None
    state, *values = found
    delivery: Delivery = _DELIVERY.instance(values[: _DELIVERY.count])
    delivery.event = _EVENT.instance(values[_DELIVERY.count :])
    return Lease(delivery, token, System.Status(state))
