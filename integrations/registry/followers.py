"""Who follows events beyond their deliveries; the apps above add theirs when they start."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

import structlog

from integrations.models import Delivery
from integrations.registry.targets import RequestedDelivery
from wedsync.live.models import ChannelEvent

log = structlog.get_logger(__name__)


class EventFollower(Protocol):
    """Something that follows events beyond their deliveries. The first four run in the routing's transaction."""

    def before_routing(self, event: ChannelEvent) -> None:
        """An event is about to be routed, for the first time or again."""

    def without_wedding(self, event_id: UUID) -> None:
        """An event was to be routed that is not pending: it may be an urgent one whose wedding nobody knows."""

    def before_storing(self, event: ChannelEvent, rows: Sequence[Delivery]) -> None:
        """These deliveries are about to be made; some may be there already. They may be changed."""

    def after_routing(
        self, event: ChannelEvent, planned: Mapping[str, RequestedDelivery], made: Mapping[str, Delivery]
    ) -> None:
        """They are made. Both by ``dedupe_key``; ``made`` holds also those that were there already."""

    def troubled(self, delivery: Delivery) -> None:
        """A delivery has ended without success, or an urgent one waits for its channel. A hint: rows decide."""

    def resent(self, made: Mapping[UUID, Delivery]) -> None:
        """Next generations were made, by the ids of the deliveries that they repeat; in the same transaction."""

    def refused(self, system_id: UUID) -> None:
        """A system takes nothing for a while; urgent deliveries to it may wait. A hint: rows decide."""


followers: list[EventFollower] = []


def tell_troubled(delivery: Delivery) -> None:
    """Tell the followers that a delivery is in trouble. What goes wrong there, they find again from the rows."""
    for follower in followers:
        try:
            follower.troubled(delivery)
        except Exception:
            log.exception("trouble_not_followed", delivery=str(delivery.id))


def tell_refused(system_id: UUID) -> None:
    """Tell the followers that a system takes nothing for a while."""
    for follower in followers:
        try:
            follower.refused(system_id)
        except Exception:
            log.exception("refusal_not_followed", system=str(system_id))
