"""Followers of events beyond their deliveries; the apps above add theirs when they start."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

import structlog

from integrations.models import Delivery
from integrations.registry.targets import RequestedDelivery
from wedsync.live.models import ChannelEvent

log = structlog.get_logger(__name__)


class EventFollower(Protocol):
    """Something that follows events beyond their deliveries. The first four methods run in routing's transaction."""

    def before_routing(self, event: ChannelEvent) -> None:
        """An event is about to be routed, for the first time or again."""

    def without_wedding(self, event_id: UUID) -> None:
        """Routing met an event that is not pending: it may be an urgent one without a known wedding."""

    def before_storing(self, event: ChannelEvent, rows: Sequence[Delivery]) -> None:
        """These deliveries are about to be made, and may be changed; some may already exist."""

    def after_routing(
        self, event: ChannelEvent, requested: Mapping[str, RequestedDelivery], made: Mapping[str, Delivery]
    ) -> None:
        """The deliveries are made. Both by ``dedupe_key``; ``made`` includes those that already existed."""

    def troubled(self, delivery: Delivery) -> None:
        """A delivery has ended without success, or an urgent one waits for its channel. A hint: rows decide."""

    def resent(self, made: Mapping[UUID, Delivery]) -> None:
        """Next generations were made, in the same transaction; by the ids of the deliveries that they repeat."""

    def refused(self, system_id: UUID) -> None:
        """A system refuses calls for a while; urgent deliveries to it may wait. A hint: rows decide."""


followers: list[EventFollower] = []


def announce_trouble(delivery: Delivery) -> None:
    """Let the followers know that a delivery is in trouble. If one fails, it finds the delivery again from the rows."""
    for follower in followers:
        try:
            follower.troubled(delivery)
        except Exception:
            log.exception("trouble_not_followed", delivery=str(delivery.id))


def announce_refusal(system_id: UUID) -> None:
    """Let the followers know that a system refuses calls for a while."""
    for follower in followers:
        try:
            follower.refused(system_id)
        except Exception:
            log.exception("refusal_not_followed", system=str(system_id))
