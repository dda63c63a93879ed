"""The registry that connects routes with their targets.

``notifications`` is above this app and fills in people and their channels from its ``AppConfig.ready``; this app
fills in systems. Nothing here imports upwards.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from integrations.models import Route, System
from integrations.states import Reason
from wedsync.live.event_types.catalogue import type_of
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority
from wedsync.weddings.models import Contact


@dataclass(frozen=True)
class PlannedDelivery:
    """A delivery to be made. ``skipped``: why it will not be sent; it is kept so that staff see it.

    ``recipient``: for people, who is meant on any channel: ``contact:<id>``, ``team:<system's id>`` or
    ``staff:<address>``; and ``name``, as staff know them. ``passed_over``: if one of several channels was chosen, the
    others that were not open to them, and why.
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
    """A matching route, the channel on which it matches, and the steps by which it moves the priority."""

    route: Route
    name: str
    steps: int = 0

    @property
    def priority(self) -> Priority | None:
        """The route's own priority, if it has one."""
        return Priority(self.route.priority) if self.route.priority else None


@dataclass(frozen=True)
class RequestedDelivery:
    """One delivery, and the routes that request it."""

    planned: PlannedDelivery
    matches: list[Matched]

    @property
    def shaped_by(self) -> Route | None:
        """The route whose transform is used: the first by name, then by id, of those that have one."""
        shaping = [each.route for each in self.matches if each.route.transform]
        return min(shaping, key=lambda route: (route.name, route.id), default=None)


Expander = Callable[[Route, ChannelEvent, Priority], Iterable[PlannedDelivery]]

_expanders: dict[str, Expander] = {}


def register_target(kind: str, expander: Expander) -> None:
    """Register how routes of a target kind become deliveries."""
    _expanders[kind] = expander


def planned_deliveries(route: Route, event: ChannelEvent, priority: Priority) -> Iterable[PlannedDelivery]:
    """The deliveries that a route makes of an event; a live target makes none.

    Events about a system's trouble do not go through that system.
    """
    expander = _expanders.get(route.target)
    troubled = troubled_system(event)
    if expander is None:
        return ()
    return [each for each in expander(route, event, priority) if str(each.system.id) != troubled]


def troubled_system(event: ChannelEvent) -> str | None:
    """The id of the system whose trouble an event reports, if any."""
    return event.payload.get("system_id") if type_of(event.type).is_about_us else None
