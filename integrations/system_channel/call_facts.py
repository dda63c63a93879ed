"""The facts that a call to a system needs besides its event, in one query, since it runs for each first attempt."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from wedsync.database.prepared import Prepared
from wedsync.live import channels
from wedsync.live.models import ChannelEvent

_LOOK_UP = Prepared(
    "look_up_call_facts",
    """
    SELECT (
        SELECT external_id FROM integrations_externalreference
        WHERE system_id = %(system)s AND wedding_id = %(wedding)s AND kind = 'booking'
        ORDER BY id LIMIT 1
    ), (
        SELECT json_object_agg(channel.name, entry.sequence)::text
        FROM live_channelentry AS entry JOIN live_channel AS channel ON channel.id = entry.channel_id
        WHERE entry.event_id = %(event)s
    ), (
        SELECT array_agg(route.channel_pattern ORDER BY reason.id)
        FROM integrations_deliveryreason AS reason JOIN integrations_route AS route ON route.id = reason.route_id
        WHERE reason.delivery_id = %(delivery)s
    )
    """,
    {"system": "uuid", "wedding": "uuid", "event": "uuid", "delivery": "uuid"},
)


@dataclass(frozen=True)
class CallFacts:
    """The facts about an event that a call needs.

    Arguments:
        booking_id: the system's own id for the wedding.
        sequences: the event's sequence on each of its channels, by name.
        patterns: the channel patterns of the routes that requested the delivery.
    """

    booking_id: str | None
    sequences: Mapping[str, int]
    patterns: Sequence[str]

    @property
    def matched_channel(self) -> str:
        """The channel on which a route matched; empty: the routes have changed since."""
        names = sorted(self.sequences)
        return next((name for each in self.patterns for name in names if channels.matches(each, name)), "")


def look_up(system_id: UUID, event: ChannelEvent, delivery_id: UUID | None = None) -> CallFacts:
    """The facts of a stored event, or of one in a dry run."""
    values = {"system": system_id, "wedding": event.wedding_id, "event": event.pk, "delivery": delivery_id}
    _, found = _LOOK_UP.run(values)
    booking_id, sequences, patterns = found or (None, None, None)
    return CallFacts(booking_id, json.loads(sequences) if sequences else {}, patterns or ())
