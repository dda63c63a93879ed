"""Publishes events: WedSync's own in the same commit as a webhook's, without the receipt; and those of clients.

What a client's event must be is known above this app, which registers the verb when it starts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wedsync.live.access.passes import Pass
from wedsync.live.fan_out import hints
from wedsync.live.log.writer import NewEvent, Place, append
from wedsync.live.models import ChannelEvent
from wedsync.wire.problems import FieldProblem

LARGEST_EVENT = 64 * 1024  # bytes of its payload as JSON


class PublishForbidden(Exception):
    """The client may not publish on this channel; the text says why, and what to do instead."""


class PublishRefused(Exception):
    """The event is not acceptable; ``problems`` by field."""

    def __init__(self, *problems: FieldProblem) -> None:
        super().__init__(FieldProblem.listed(problems))
        self.problems = problems


@dataclass(frozen=True)
class Published:
    """A stored event, and its sequence on the channel that the client named."""

    event: ChannelEvent
    sequence: int


ClientPublisher = Callable[[Pass, str, Mapping[str, Any]], Published]
"""Publishes a client's event, ``{"type", "payload", "wedding_id"?}``, on a channel, in a transaction of its own.

Raises :class:`PublishForbidden` and :class:`PublishRefused`.
"""
_client_publishers: list[ClientPublisher] = []


def register_client_publisher(publisher: ClientPublisher) -> None:
    """Say how clients' events are published. Called once, when the app above starts."""
    _client_publishers[:] = [publisher]


def publish_for(pass_: Pass, channel: str, content: Mapping[str, Any]) -> Published:
    """Publish a client's event on a channel.

    Raises:
        PublishForbidden: the client may not.
        PublishRefused: the event is not acceptable.
    """
    (publisher,) = _client_publishers
    return publisher(pass_, channel, content)


def publish(new_events: Sequence[NewEvent], also: Sequence[Place] = ()) -> list[ChannelEvent]:
    """Store events in the caller's transaction, and wake routing and sockets after its commit; see :func:`append`."""
    events = append(new_events, also)
    for event, new in zip(events, new_events, strict=True):
        hints.event_stored(event, new.channels)
    for event, name in also:
        hints.entries_added(event.organization_id, [name])
    return events
