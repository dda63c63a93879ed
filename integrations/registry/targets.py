"""The registry that joins routes to what they reach.

``notifications`` lies above this app and fills in people and their channels from its ``AppConfig.ready``; this app
fills in systems. Nothing here imports upwards.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from integrations.models import Route, System
from integrations.states import Reason
from wedsync.live.event_types.catalogue import CATALOGUE
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority
from wedsync.weddings.models import Contact


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


Expander = Callable[[Route, ChannelEvent, Priority], Iterable[PlannedDelivery]]

_expanders: dict[str, Expander] = {}


def register_target(kind: str, expander: Expander) -> None:
    """Say how routes of a target kind become deliveries."""
    _expanders[kind] = expander


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
