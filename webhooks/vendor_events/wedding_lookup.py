"""Finds a webhook's wedding and its suppliers: by the vendor's own reference, or else by our id."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from webhooks.vendor_events.envelope import Accepted

REMEMBERED = 1.0  # seconds
MOST_REMEMBERED = 10_000


class Clue(NamedTuple):
    """What a request says about its wedding; strings, empty if it says nothing."""

    organization_id: str
    system_id: str
    booking_id: str
    client_id: str
    wedding_id: str

    @property
    def leads_somewhere(self) -> bool:
        """Whether there is anything to look up."""
        return any(self[2:])


@dataclass(frozen=True)
class Match:
    """A wedding, and the systems that have a reference to it."""

    wedding_id: str
    supplier_ids: Sequence[str]


def clue(item: Accepted) -> Clue:
    """What the request says about its wedding."""
    payload = item.envelope.payload if item.envelope.event_type else {}
    return Clue(
        item.door.organization_id,
        item.door.system_id,
        payload.get("booking_id") or "",
        payload.get("client_id") or "",
        payload.get("wedding_id") or "",
    )


# A contact's reference leads to the contact's wedding. The wedding found must belong to the sender's organization.
FIND = """
SELECT clue.place, wedding.id::text, ARRAY(
    SELECT DISTINCT reference.system_id::text FROM integrations_externalreference reference
    JOIN integrations_system system ON system.id = reference.system_id AND system.state <> 'disabled'
    WHERE reference.wedding_id = wedding.id)
FROM json_to_recordset(%s::json) AS clue (
    place integer, organization_id uuid, system_id uuid, booking_id text, client_id text, wedding_id uuid)
JOIN weddings_wedding wedding ON wedding.organization_id = clue.organization_id AND wedding.id = coalesce(
    (SELECT coalesce(reference.wedding_id, contact.wedding_id) FROM integrations_externalreference reference
     LEFT JOIN weddings_contact contact ON contact.id = reference.contact_id
     WHERE reference.system_id = clue.system_id AND reference.kind = 'booking'
     AND reference.external_id = clue.booking_id),
    (SELECT coalesce(reference.wedding_id, contact.wedding_id) FROM integrations_externalreference reference
     LEFT JOIN weddings_contact contact ON contact.id = reference.contact_id
     WHERE reference.system_id = clue.system_id AND reference.kind = 'client'
     AND reference.external_id = clue.client_id),
    clue.wedding_id)
"""


class Recent:
    """Matches of the last second: a request that soon after another counts as simultaneous.

    Failed look-ups are not remembered, since staff may link the name at any moment.
    """

    def __init__(self) -> None:
        self._known: dict[Clue, Match] = {}
        self._since = 0.0

    def matches(self) -> dict[Clue, Match]:
        """The matches that are still recent."""
        now = time.monotonic()
        if now - self._since > REMEMBERED or len(self._known) > MOST_REMEMBERED:
            self._known, self._since = {}, now
        return self._known

    def forget(self) -> None:
        """Forget all matches, since one of the rows has been deleted."""
        self._known = {}


def find_parameters(clues: Sequence[Clue]) -> list[str]:
    """The parameter of :data:`FIND`."""
    rows = [
        {"place": place, **{name: value for name, value in each._asdict().items() if value}}
        for place, each in enumerate(clues)
    ]
    return [orjson.dumps(rows).decode()]


def matches(clues: Sequence[Clue], rows: Iterable[tuple[Any, ...]]) -> dict[Clue, Match]:
    """The matches in the rows of :data:`FIND`."""
    return {clues[place]: Match(wedding_id, system_ids) for place, wedding_id, system_ids in rows}
