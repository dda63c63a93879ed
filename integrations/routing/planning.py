"""The plan of an event's routing: the deliveries that its routes request together, and further live channels.

Reads only, so that routing and the dry run share it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog
from django.db import transaction

from integrations.models import Delivery, Route
from integrations.registry import targets
from integrations.registry.targets import Matched, RequestedDelivery
from integrations.routing import priorities, repetitions
from integrations.routing.matching import EventFacts, candidates, match
from wedsync.database.errors import POSTGRES_AWAY
from wedsync.live import channels
from wedsync.templating import time_budget
from wedsync.templating.time_budget import OutOfTime

log = structlog.get_logger(__name__)


@dataclass
class RoutingPlan:
    """``requested``: deliveries by ``dedupe_key``; ``live``: channels; ``broken``: routes that failed, and why."""

    matches: list[Matched] = field(default_factory=list)
    requested: dict[str, RequestedDelivery] = field(default_factory=dict)
    live: set[str] = field(default_factory=set)
    broken: dict[Route, str] = field(default_factory=dict)


def work_out(subject: EventFacts, now: datetime) -> RoutingPlan:
    """Match the routes, and ask each where it leads. A route that fails does not stop the others.

    Raises:
        OperationalError: a fault of PostgreSQL, not of a route: plan the whole event again.
    """
    plan = RoutingPlan()
    for route in candidates(subject):
        try:
            time_budget.look_at_the_clock()
            _add(route, subject, now, plan)
        except POSTGRES_AWAY:
            raise
        except OutOfTime as error:
            plan.broken[route] = str(error)
        except Exception as error:
            log.exception("route_broken", route=str(route.id), event_id=str(subject.event.id))
            plan.broken[route] = f"{type(error).__name__}: see the log for the traceback"
    _leave_out_repetitions(subject, now, plan)
    return plan


def _leave_out_repetitions(subject: EventFacts, now: datetime, plan: RoutingPlan) -> None:
    """Skip calls that would repeat to a system what it knows, unless a route allows that by ``echo``."""
    calls = {
        key: each
        for key, each in plan.requested.items()
        if each.planned.kind == Route.Target.SYSTEM and not any(matched.route.echo for matched in each.matches)
    }
    try:
        reasons = repetitions.judge(subject.event, [each.planned.system for each in calls.values()], now)
    except POSTGRES_AWAY:
        raise
    except Exception:  # a repeated call is better than a missing one
        log.exception("repetitions_not_judged", event_id=str(subject.event.id))
        return
    for key, each in calls.items():
        if reason := reasons.get(each.planned.system.id):
            plan.requested[key] = replace(each, planned=replace(each.planned, skipped=reason))


def _add(route: Route, subject: EventFacts, now: datetime, plan: RoutingPlan) -> None:
    matched = match(route, subject)
    if matched is None:
        return
    event = subject.event
    live: Iterable[str] = ()
    with transaction.atomic():
        priority = priorities.work_out(event, now, [matched]).priority
        deliveries = list(targets.planned_deliveries(route, event, priority))
        if route.target == Route.Target.LIVE:
            live = [channels.check_name(channels.fill(route.live_channel, route.channel_pattern, matched.name))]
    plan.matches.append(matched)
    plan.live.update(live)
    for planned in deliveries:
        key = Delivery.key(event.id, planned.kind, planned.target, planned.channel)
        matches = plan.requested.setdefault(key, RequestedDelivery(planned, [])).matches
        if matched not in matches:  # a person may have two roles
            matches.append(matched)
