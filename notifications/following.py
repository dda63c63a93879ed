"""Following events into routing and deliveries, for what people get."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from integrations.models import Delivery
from integrations.planning import Wanted
from notifications import windows
from wedsync.live.models import ChannelEvent


class Following:
    """The follower of this room: see :class:`integrations.targets.Follower`."""

    def before_routing(self, event: ChannelEvent) -> None:
        """Nothing yet."""

    def before_storing(self, event: ChannelEvent, rows: Sequence[Delivery]) -> None:
        """Let wait what is to be gathered."""
        windows.hold(event, rows)

    def after_routing(self, event: ChannelEvent, planned: Mapping[str, Wanted], made: Mapping[str, Delivery]) -> None:
        """Note what waits where."""
        windows.enter(event, made)

    def troubled(self, delivery: Delivery) -> None:
        """Nothing yet."""

    def refused(self, system_id: UUID) -> None:
        """Nothing yet."""
