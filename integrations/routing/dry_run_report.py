"""The report of a dry run: plain values, for the admin's page and, through ``as_json``, for the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from integrations.models import Route
from integrations.outbound import Request
from integrations.routing.matching import Check


@dataclass(frozen=True)
class RouteAnswer:
    """One route: whether it matches, and each of its checks.

    ``moves``: the conditions that change the priority; ``note``: why a matching route makes no delivery; ``problem``:
    why the route failed.
    """

    route_id: UUID
    name: str
    target: str
    matches: bool
    checks: tuple[Check, ...]
    channel: str = ""
    moves: tuple[str, ...] = ()
    note: str = ""
    problem: str = ""

    @classmethod
    def of(
        cls, route: Route, checks: tuple[Check, ...], *, channel: str = "", problem: str = "", **rest: Any
    ) -> RouteAnswer:
        """The answer on a route."""
        matches = not problem and all(check.passed for check in checks)
        return cls(route.id, route.name, route.target, matches, checks, channel=channel, problem=problem, **rest)

    def as_json(self, *, shows_events: bool = True) -> dict[str, Any]:
        """For the API. ``shows_events``: include values found in the event and its wedding."""
        return {
            "route": str(self.route_id),
            "name": self.name,
            "target": self.target,
            "matches": self.matches,
            "channel": self.channel or None,
            "checks": [check.as_json(shows_found=shows_events) for check in self.checks],
            "moves_priority": list(self.moves),
            "note": self.note,
            "problem": self.problem,
        }


@dataclass(frozen=True)
class WouldSend:
    """One delivery that would be made.

    ``already``: the state of a stored event's existing delivery. ``request`` is ``None`` if there is a ``problem``.
    """

    system: str
    recipient: str
    channel: str
    routes: tuple[str, ...]
    priority: str
    priority_because: tuple[str, ...]
    state: str
    reason: str
    held_until: datetime | None
    expires_at: datetime
    shaped_by: str
    request: Request | None
    subject: str
    text: str
    problem: str
    already: str

    @property
    def size(self) -> int:
        """Characters of content."""
        body = len(self.request.body) if self.request else 0
        return body + len(self.subject) + len(self.text)

    def as_json(self, *, shows_people: bool = True) -> dict[str, Any]:
        """For the API. ``shows_people``: include who would get it, and its content."""
        shown = self._shown()
        if not shows_people:
            shown |= {"recipient": None, "request": None, "message": None, "problem": "", "hidden": True}
        return shown

    def _shown(self) -> dict[str, Any]:
        return {
            "system": self.system,
            "recipient": self.recipient,
            "channel": self.channel,
            "routes": list(self.routes),
            "priority": self.priority,
            "priority_because": list(self.priority_because),
            "state": self.state,
            "reason": self.reason,
            "held_until": self.held_until.isoformat() if self.held_until else None,
            "expires_at": self.expires_at.isoformat(),
            "shaped_by": self.shaped_by or None,
            "request": self.request.as_json() if self.request else None,
            "message": {"subject": self.subject, "text": self.text} if self.text else None,
            "problem": self.problem,
            "already": self.already or None,
            "hidden": False,
        }


@dataclass(frozen=True)
class DryRun:
    """The whole report. ``others``: a page of the routes that do not match, of ``others_count``."""

    event_id: UUID | None
    event_type: str
    channels: tuple[str, ...]
    note: str
    matching: tuple[RouteAnswer, ...]
    others: tuple[RouteAnswer, ...]
    others_count: int
    deliveries: tuple[WouldSend, ...]
    deliveries_count: int
    live: tuple[str, ...]

    @property
    def route_answers(self) -> tuple[RouteAnswer, ...]:
        """All routes, the matching ones first."""
        return self.matching + self.others

    def as_json(self, *, shows_people: bool = True, shows_events: bool = True) -> dict[str, Any]:
        """For the API, with what its caller may see: people and their messages; the contents of events and weddings."""
        return {
            "event": str(self.event_id) if self.event_id else None,
            "type": self.event_type,
            "channels": list(self.channels),
            "note": self.note,
            "routes": [answer.as_json(shows_events=shows_events) for answer in self.route_answers],
            "routes_not_matching": self.others_count,
            "deliveries": [each.as_json(shows_people=shows_people) for each in self.deliveries],
            "deliveries_count": self.deliveries_count,
            "live_channels": list(self.live),
        }
