"""Which routes match an event, and why. The rules are pure; one indexed query brings the routes that may match.

A route is stored with keys made of its organization, its pattern with each ``{name}`` as ``*``, and its event types.
An event has only a few keys: each of its channels with every choice of segments as ``*``, times the four filters that
accept its type. So finding the candidates takes as long among ten thousand routes as among ten (docs/adr/0028).
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Exists, OuterRef, Q
from django.db.models.expressions import RawSQL

from integrations.models import Route, RouteCondition
from integrations.registry.targets import Matched
from integrations.rules import conditions, event_filters
from integrations.rules.conditions import Effect
from integrations.rules.facts import Facts, facts_of, find
from wedsync.live import channels
from wedsync.live.models import ChannelEvent

WILDCARD = "*"
LONGEST_SHOWN = 200
# Whether a text or number of the payload certainly differs from the one that a condition wants, so that of many routes
# that differ only in such a condition, few are read. `conditions.holds` decides what this cannot.
_DIFFERS = r"""
(SELECT path !~ '(^|\.)\*(\.|$)|^(payload|event|wedding)\.' AND (
    found IS NULL OR (
        jsonb_typeof(found) = jsonb_typeof(value) AND jsonb_typeof(value) IN ('string', 'number') AND found <> value
    )
) FROM (SELECT %s::jsonb #> string_to_array(path, '.') AS found) AS looked_up)
"""


@dataclass(frozen=True)
class EventFacts:
    """An event as routes see it: with the channels it appears on."""

    event: ChannelEvent
    names: Sequence[str]
    facts: Facts = field(repr=False)

    @classmethod
    def of(cls, event: ChannelEvent, names: Iterable[str]) -> "EventFacts":
        """The names are sorted, so that a route matches the same channel in whatever order they come."""
        return cls(event, sorted(names), facts_of(event))


@dataclass(frozen=True)
class Check:
    """One requirement of a route, and whether an event meets it."""

    about: str
    passed: bool
    why: str
    condition: RouteCondition | None = None
    found: Any = None

    def as_json(self, *, shows_found: bool = True) -> dict[str, Any]:
        """For the API. ``shows_found``: include the values at a condition's path."""
        shown: dict[str, Any] = {"about": self.about, "passed": self.passed, "why": self.why}
        if self.condition and not shows_found:
            shown["why"] = str(self.condition)
        if self.condition:
            shown |= {
                "path": self.condition.path,
                "operator": self.condition.operator,
                "effect": self.condition.effect,
                "wanted": self.condition.value,
                "found": self.found if shows_found else None,
            }
        return shown


def candidates(subject: EventFacts) -> Iterable[Route]:
    """The active routes whose pattern and event types fit, and whose window is open; two queries.

    Raises:
        OperationalError: PostgreSQL is away or gave up.
    """
    event = subject.event
    keys = keys_of(event.organization_id, event.type, subject.names)
    opened = Q(active_from__isnull=True) | Q(active_from__lte=event.received_at)
    not_closed = Q(active_until__isnull=True) | Q(active_until__gt=event.received_at)
    by_keys = RawSQL("SELECT route_ids_by_keys(%s::text[])", [keys])
    found = Route.objects.filter(opened, not_closed, active=True, id__in=by_keys)
    hopeless = RouteCondition.objects.filter(
        RawSQL(_DIFFERS, [json.dumps(event.payload)], output_field=BooleanField()),  # noqa: S611  (our own text)
        route=OuterRef("pk"),
        effect=Effect.REQUIRE,
        operator=conditions.Operator.EQUALS,
    )
    found = found.filter(~Exists(hopeless))
    return found.select_related("system", "contact").prefetch_related("conditions").order_by("id")


def keys_of(organization_id: UUID, event_type: str, names: Iterable[str]) -> list[str]:
    """Every key under which a matching route may be stored."""
    choices = (product(*((part, WILDCARD) for part in name.split(":"))) for name in names)
    patterns = {":".join(choice) for several in choices for choice in several}
    filters = event_filters.names_of(event_type)
    return [f"{organization_id}|{pattern}|{types}" for pattern in sorted(patterns) for types in filters]


def match(route: Route, subject: EventFacts) -> Matched | None:
    """The route with the first channel on which it matches; ``None``: it does not match.

    The route's conditions are read from ``route.conditions``, so prefetch them.
    """
    if not all(check.passed for check in checks(route, subject)):
        return None
    name = _channel(route, subject)
    return Matched(route, name, steps_of(route, subject)) if name else None


def checks(route: Route, subject: EventFacts) -> Iterator[Check]:
    """Everything a route requires to match, the cheap checks first; each is worked out when it is iterated."""
    event = subject.event
    yield Check("active", route.active, "is active" if route.active else "is not active")
    yield _window(route, event.received_at)
    name = _channel(route, subject)
    appears = ", ".join(subject.names) or "no channel"
    yield Check("channel", name is not None, f"matches {name}" if name else f"the event appears on {appears}")
    accepts = event_filters.accepts(route.event_types, event.type)
    types = ", ".join(route.event_types) or "every type"
    yield Check("event_type", accepts, f"accepts {types}; the event is {event.type}")
    for condition in _conditions(route):
        if condition.effect in {Effect.REQUIRE, Effect.EXCLUDE}:
            yield _required(condition, subject.facts)


def _conditions(route: Route) -> Sequence[RouteCondition]:
    return sorted(route.conditions.all(), key=lambda each: (each.path, each.id))


def _channel(route: Route, subject: EventFacts) -> str | None:
    return next((name for name in subject.names if channels.matches(route.channel_pattern, name)), None)


def _window(route: Route, received_at: datetime) -> Check:
    starts, ends = route.active_from, route.active_until
    inside = (starts is None or starts <= received_at) and (ends is None or received_at < ends)
    if starts is None and ends is None:
        return Check("window", inside, "has no window")
    parts = [f"{word} {moment:%Y-%m-%d %H:%M} UTC" for word, moment in (("from", starts), ("until", ends)) if moment]
    return Check("window", inside, f"open {' '.join(parts)}; received {received_at:%Y-%m-%d %H:%M} UTC")


def _required(condition: RouteCondition, facts: Facts) -> Check:
    holds = conditions.holds(condition.path, condition.operator, condition.value, facts)
    found = find(condition.path, facts)
    passed = holds if condition.effect == Effect.REQUIRE else not holds
    return Check("condition", passed, f"{condition}: {_shown(found)}", condition, found)


def _shown(found: Sequence[Any]) -> str:
    if not found:
        return "found nothing"
    text = ", ".join(json.dumps(each, ensure_ascii=False) for each in found[:5])
    return "found " + (text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…")


def steps_of(route: Route, subject: EventFacts) -> int:
    """One step up for each raising condition that holds, one down for each lowering one."""
    return sum(step for _, step in moving(route, subject))


def moving(route: Route, subject: EventFacts) -> list[tuple[RouteCondition, int]]:
    """The conditions that change the priority of this event, each with its step."""
    directions = {Effect.RAISE_PRIORITY: 1, Effect.LOWER_PRIORITY: -1}
    return [
        (condition, directions[Effect(condition.effect)])
        for condition in _conditions(route)
        if condition.effect in directions
        and conditions.holds(condition.path, condition.operator, condition.value, subject.facts)
    ]
