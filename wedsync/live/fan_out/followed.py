"""The channels that one client follows."""

from collections.abc import Iterator
from uuid import UUID

from wedsync.live.fan_out.broadcasting import broadcaster
from wedsync.live.fan_out.replays import FIRST_PAGE
from wedsync.live.fan_out.subscriptions import Client, Subscription
from wedsync.live.log.reader import ChannelKey


class Followed:
    """A client's subscriptions, one per channel, by name. It holds no client beyond them."""

    def __init__(self, organization_id: UUID) -> None:
        self._organization_id = organization_id
        self._subscriptions: dict[str, Subscription] = {}
        self._written_before = 0

    def __contains__(self, name: object) -> bool:
        return name in self._subscriptions

    def __iter__(self) -> Iterator[str]:
        return iter(self._subscriptions)

    def __len__(self) -> int:
        return len(self._subscriptions)

    @property
    def events_written(self) -> int:
        """How many events the client was written, also from channels that it no longer follows."""
        return self._written_before + sum(each.cursor - each.start for each in self._subscriptions.values())

    def begin(self, client: Client, name: str, cursor: int, last: int) -> None:
        """Write a client everything after ``cursor``, replacing an earlier subscription to the same channel.

        Arguments:
            last: the channel's position a moment ago.
        """
        self.forget(name)
        key = ChannelKey(self._organization_id, name)
        self._subscriptions[name] = Subscription(client, key, cursor, FIRST_PAGE)
        broadcaster.add(self._subscriptions[name], last)

    def forget(self, name: str) -> None:
        """Write nothing more from this channel."""
        if subscription := self._subscriptions.pop(name, None):
            broadcaster.remove(subscription)
            self._written_before += subscription.cursor - subscription.start

    def forget_all(self) -> None:
        """Write nothing more."""
        for name in list(self._subscriptions):
            self.forget(name)
