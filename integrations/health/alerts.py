"""Alerts: what staff must know, sent once an hour for each cause and system (docs/adr/0035).

An alert is published as an event on ``ops:health:<organization>``, which ordinary routes lead to Slack and to the
staff's email, but never through the system that it is about; it is also logged. The row is written first, under a
condition, so that only one of the processes that notice a problem sends the alert.
"""

from collections.abc import Callable, Container, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import Alert, Route, System
from integrations.models.health import Cause
from wedsync import correlation
from wedsync.live.channels import ops_channel
from wedsync.live.log.writer import NewEvent
from wedsync.live.models import ChannelEvent
from wedsync.live.publishing import publish

log = structlog.get_logger(__name__)
QUIET = timedelta(hours=1)  # between two notices of the same alert
OPS_ROUTES = "ops:health:"  # organizations with a route whose pattern begins so are alerted about WedSync itself
RAISED, RESOLVED = "ops.alert_raised", "ops.alert_resolved"
LONGEST = 500

Key = tuple[UUID, Cause, UUID | None]
"""Organization, cause, system."""


@transaction.atomic
def raise_alert(
    organization_id: UUID, cause: Cause, text: str, *, system: System | None = None, about: str = ""
) -> bool:
    """Record that something is wrong, and alert staff unless they were alerted of it within the hour.

    Returns whether staff were alerted. ``text``: sentences for people. ``system``: the system concerned; the alert goes
    every way but through it. ``about``: what else it concerns, such as an incident; each has an alert of its own.
    """
    same = Alert.objects.filter(organization_id=organization_id, cause=cause, system=system, about=about)
    found = same.filter(resolved_at=None)
    if not found.exists():
        earlier = same.filter(told_at__gt=Now() - QUIET).order_by("-told_at").values_list("told_at", flat=True).first()
        fresh = Alert(organization_id=organization_id, cause=cause, system=system, about=about, told_at=earlier)
        Alert.objects.bulk_create([fresh], ignore_conflicts=True)  # another process may have been first
    found.update(count=F("count") + 1, last_at=Now(), text=text[:LONGEST])
    silent = Q(told_at=None) | Q(told_at__lte=Now() - QUIET)
    if not found.filter(silent).update(told_at=Now(), tellings=F("tellings") + 1):
        return False
    alert = found.get()
    publish([_event(alert, RAISED, alert.first_at)])
    facts = {"organization": str(organization_id), "cause": cause.value, "text": alert.text}
    _log_later(log.error, "alert_raised", facts | ({"system": str(system.id)} if system else {}))
    return True


def key_of(alert: Alert) -> Key:
    """The key of which at most one alert is open."""
    return alert.organization_id, Cause(alert.cause), alert.system_id


def found_again(wrong: Container[Key]) -> set[Key]:
    """Count again the open alerts that staff were told of within the hour, all in one write; returns their keys.

    If a thousand systems are critical for an hour, each is reported once, and then costs nothing.
    """
    open_ones = Alert.objects.filter(resolved_at=None, told_at__gt=Now() - QUIET)
    again = {alert.id: key for alert in open_ones if (key := key_of(alert)) in wrong}
    Alert.objects.filter(id__in=list(again), resolved_at=None).update(count=F("count") + 1, last_at=Now())
    return set(again.values())


def raise_everywhere(cause: Cause, text: str) -> int:
    """Alert every organization with a route on its ops channel to a fault of WedSync itself; returns how many.

    Call it in a transaction: all are alerted, or none.
    """
    return sum(raise_alert(organization_id, cause, text) for organization_id in _listening())


def _listening() -> Iterable[UUID]:
    """Always in the same order, since each channel's counter stays locked until the commit."""
    routes = Route.objects.filter(active=True, channel_pattern__startswith=OPS_ROUTES)
    return routes.order_by("organization_id").values_list("organization_id", flat=True).distinct()


@transaction.atomic
def resolve(alert: Alert) -> bool:
    """Close an alert, and give the all-clear if staff had been alerted; returns whether it was open."""
    if not Alert.objects.filter(id=alert.id, resolved_at=None).update(resolved_at=Now()):
        return False
    alert.refresh_from_db()
    if alert.tellings:
        publish([_event(alert, RESOLVED, timezone.now())])
    _log_later(log.info, "alert_resolved", {"organization": str(alert.organization_id), "cause": alert.cause})
    return True


def resolve_all(alerts: QuerySet[Alert]) -> int:
    """Close those alerts that are still open; returns how many."""
    return sum(resolve(alert) for alert in alerts.filter(resolved_at=None).order_by("organization_id", "id"))


def _event(alert: Alert, event_type: str, occurred_at: datetime) -> NewEvent:
    payload: dict[str, Any] = {"alert_id": str(alert.id), "cause": alert.cause, "text": alert.text}
    if alert.system:
        payload |= {"system_id": str(alert.system.id), "system": alert.system.name}
    return ops_event(alert.organization_id, event_type, payload, occurred_at)


def ops_event(organization_id: UUID, event_type: str, payload: dict[str, Any], occurred_at: datetime) -> NewEvent:
    """An event for an organization's staff that is not about a wedding."""
    return NewEvent(
        organization_id=organization_id,
        wedding_id=None,
        type=event_type,
        payload=payload,
        occurred_at=occurred_at,
        source=ChannelEvent.Source.WEDSYNC,
        channels=[ops_channel(organization_id)],
        effect=ChannelEvent.Effect.NONE,
    )


def _log_later(write: Callable[..., None], line: str, facts: dict[str, str]) -> None:
    transaction.on_commit(correlation.kept(partial(write, line, **facts)))
