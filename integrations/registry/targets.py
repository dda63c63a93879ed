"""The registry that joins routes to what they reach.

``notifications`` lies above this app and fills in people and their channels from its ``AppConfig.ready``; this app
fills in systems. Nothing here imports upwards.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog

from integrations.errors import DeliveryError
from integrations.models import Delivery, Route, System
from integrations.outbound import Request, Response
from integrations.states import Reason
from wedsync.live.event_types.catalogue import CATALOGUE
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority
from wedsync.weddings.models import Contact, ContactChannel

log = structlog.get_logger(__name__)
SYSTEM_CHANNEL = "system"
CHANNEL_CHOICES = ((SYSTEM_CHANNEL, "System"), *ContactChannel.choices)


@dataclass(frozen=True)
class PlannedDelivery:
    """A delivery to be made. ``skipped``: why it will not be sent, kept all the same so that staff see it.

    ``recipient``: of people, who is meant, whatever the channel: ``contact:<id>``, ``team:<system's id>`` or
    ``staff:<address>``; and ``name``, as staff know them. ``passed_over``: which other channels were closed to them,
    and why, where one of several was to be chosen.
    """

    kind: str
    target: str
    channel: str
    system: System
    contact: Contact | None = None
    skipped: Reason = Reason.NONE
    held_until: datetime | None = None
    held_because: Reason = Reason.NONE
    recipient: str = ""
    name: str = ""
    passed_over: tuple[tuple[str, Reason], ...] = ()


@dataclass(frozen=True)
class Matched:
    """A route that matches: on which channel, and by how many steps it moves the priority."""

    route: Route
    name: str
    steps: int = 0

    @property
    def priority(self) -> Priority | None:
        """The route's own, if it has one."""
        return Priority(self.route.priority) if self.route.priority else None


@dataclass(frozen=True)
class RequestedDelivery:
    """One delivery, and the routes that ask for it."""

    plan: PlannedDelivery
    asking: list[Matched]

    @property
    def shaped_by(self) -> Route | None:
        """The route whose transform counts: of those that have one the first by name, then by id."""
        shaping = [each.route for each in self.asking if each.route.transform]
        return min(shaping, key=lambda route: (route.name, route.id), default=None)


@dataclass(frozen=True)
class Blocked:
    """Why a delivery is not to be sent now.

    Arguments:
        until: when it may be; ``None``: never, it is skipped.
        order_key: among what it goes out in order then, where it has no order yet.
        sets: as in :class:`integrations.models.Delivery`.
    """

    reason: Reason
    until: datetime | None = None
    order_key: str = ""
    sets: Sequence[str] = ()


@dataclass(frozen=True)
class RequestPreview:
    """What would be sent, without credentials; ``subject`` and ``text``: of a message, as a person reads it."""

    request: Request
    subject: str = ""
    text: str = ""


Expander = Callable[[Route, ChannelEvent, Priority], Iterable[PlannedDelivery]]
Sending = Callable[[float], Response]
"""Makes one call and returns the answer; its argument is the whole time in seconds. Raises ``DeliveryError``."""


class Sender(Protocol):
    """One channel's way out."""

    def may_duplicate_on_retry(self, delivery: Delivery) -> bool:
        """Whether it may arrive twice when it is tried again after an unknown outcome: nobody there knows our key."""

    def render(self, delivery: Delivery) -> Request:
        """The bytes to send; called once, at the first attempt.

        Raises:
            OurFault: something of ours is missing.
        """

    def preview(self, delivery: Delivery) -> RequestPreview:
        """The same for a delivery that is not stored; nothing is kept.

        Raises:
            OurFault: something of ours is missing.
        """

    def blocked(self, delivery: Delivery) -> Blocked | None:
        """What stands against sending a claimed delivery by now; ``None``: nothing."""

    def outdated(self, delivery: Delivery) -> str:
        """Why what is frozen must not be sent under the delivery's key any more; empty: it may be."""

    def replaced(self, delivery: Delivery, because: str) -> None:
        """A delivery was made in the place of one that was outdated; in the same transaction."""

    def ready(self, delivery: Delivery, request: Request) -> Sending:
        """Add the URL and the credentials, for one attempt. The call itself may not use the database."""

    def judge(self, response: Response) -> str:
        """The provider's id of what it took, or an empty text.

        Raises:
            DeliveryError: it did not take it.
        """

    def accepted(self, delivery: Delivery, provider_id: str) -> None:
        """Note it; the delivery is finished already."""

    def answered(self, delivery: Delivery, response: Response) -> None:
        """Note what else an answer says that took it; called after :meth:`accepted`."""

    def failed(self, delivery: Delivery, error: DeliveryError) -> None:
        """An attempt has failed, and that is written down. What it says of more than this delivery is noted here."""

    def status_wait(self, delivery: Delivery) -> float | None:
        """Seconds to wait, after an unknown outcome, for word that it was taken; ``None``: none will come."""


class EventFollower(Protocol):
    """Something that follows events beyond their deliveries. The first four run in the routing's transaction."""

    def before_routing(self, event: ChannelEvent) -> None:
        """An event is about to be routed, for the first time or again."""

    def without_wedding(self, event_id: UUID) -> None:
        """An event was to be routed that is not pending: it may be an urgent one whose wedding nobody knows."""

    def before_storing(self, event: ChannelEvent, rows: Sequence[Delivery]) -> None:
        """These deliveries are about to be made; some may be there already. They may be changed."""

    def after_routing(
        self, event: ChannelEvent, planned: Mapping[str, "RequestedDelivery"], made: Mapping[str, Delivery]
    ) -> None:
        """They are made. Both by ``dedupe_key``; ``made`` holds also those that were there already."""

    def troubled(self, delivery: Delivery) -> None:
        """A delivery has ended without success, or an urgent one waits for its channel. A hint: rows decide."""

    def resent(self, made: Mapping[UUID, Delivery]) -> None:
        """Next generations were made, by the ids of the deliveries that they repeat; in the same transaction."""

    def refused(self, system_id: UUID) -> None:
        """A system takes nothing for a while; urgent deliveries to it may wait. A hint: rows decide."""


Confirmation = Callable[[Delivery], str | None]

_expanders: dict[str, Expander] = {}
_senders: dict[str, Sender] = {}
_confirmations: list[Confirmation] = []
followers: list[EventFollower] = []


def register_target(kind: str, expander: Expander) -> None:
    """Say how routes of a target kind become deliveries."""
    _expanders[kind] = expander


def register_channel(channel: str, sender: Sender) -> None:
    """Say how deliveries of a channel are sent."""
    _senders[channel] = sender


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


def register_confirmation(find: Confirmation) -> None:
    """Say how to find out that a provider has taken a delivery whose answer was not seen."""
    _confirmations.append(find)


def confirmation(delivery: Delivery) -> str | None:
    """The provider's id of a delivery that it has told us about since; ``None``: nothing was heard."""
    return next((found for find in _confirmations if (found := find(delivery))), None)


def plans(route: Route, event: ChannelEvent, priority: Priority) -> Iterable[PlannedDelivery]:
    """The deliveries that a route makes of an event; a live target makes none.

    What tells that a system is ill does not go through that system.
    """
    expander = _expanders.get(route.target)
    ill = ill_system(event)
    return [plan for plan in expander(route, event, priority) if str(plan.system.id) != ill] if expander else ()


def ill_system(event: ChannelEvent) -> str | None:
    """The id of the system whose trouble an event tells of; ``None``: it tells of none."""
    return event.payload.get("system_id") if CATALOGUE[event.type].is_about_us else None


def sender_for(channel: str) -> Sender:
    """The sender of a channel."""
    return _senders[channel]
