"""Reports that came too soon after another: people are told when the pause is over, or along with a newer one."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from notifications import sweep_rounds
from notifications.incidents import opening
from notifications.incidents.emergency_reports import line_of
from notifications.models import Incident
from notifications.plans import extra_deliveries
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority

RETRY = timedelta(seconds=5)
LATEST = 50  # reports that are searched for one that says something
MOST_FURTHER = 3  # reports told along with a newer one


def tell_updates() -> int:
    """Tell people the newest report of each incident whose pause is over; returns how many."""
    due = Incident.objects.filter(opening.LIVING, update_due_at__lte=Now()).order_by("update_due_at")
    return sweep_rounds.work_off(
        due, _tell_update, broken="update_not_told", requests="event__correlation_id", update_due_at=Now() + RETRY
    )


@transaction.atomic
def _tell_update(incident_id: UUID) -> bool:
    locked = Incident.objects.select_for_update(skip_locked=True, no_key=True)
    incident = locked.filter(opening.LIVING, id=incident_id, update_due_at__lte=Now()).first()
    if incident is None:
        return False
    told = set(incident.reports.exclude(told_at=None).values_list("words", flat=True))
    untold = incident.reports.filter(told_at=None).exclude(words__in=told).select_related("event__wedding")
    newest = untold.order_by("-event_id").first()
    incident.update_due_at = None
    if newest:
        incident.told_at = timezone.now()
        extra_deliveries.create(
            newest.event, opening.alerted(incident), plan_step=0, why="a further report", priority=Priority.URGENT
        )
        incident.reports.filter(event_id=newest.event_id).update(told_at=Now())
    incident.save(update_fields=["told_at", "update_due_at"])
    return newest is not None


def passed_over(incident: Incident, event: ChannelEvent) -> list[str]:
    """What the reports say that came too early since people were last told, and that this one represents.

    At most three, the oldest first, each once.
    """
    if event.type != opening.REPORTED:
        return []
    earlier = incident.reports.filter(event_id__lt=event.id, event__type=opening.REPORTED).select_related("event")
    told = earlier.exclude(told_at=None)
    last = told.order_by("-event_id").values_list("event_id", flat=True).first()
    if last is None:
        return []
    known = [opening.words_of(event), *told.values_list("words", flat=True)]
    untold = earlier.filter(told_at=None, event_id__gt=last).exclude(words__in=known).order_by("-event_id")[:LATEST]
    newest = {each.words: line_of(each.event.payload) for each in reversed(list(untold))}
    return list(newest.values())[-MOST_FURTHER:]


def said_since(incident: Incident, event: ChannelEvent) -> dict[str, Any] | None:
    """If this report says nothing: what the newest report says that says anything; else ``None``."""
    if event.type != opening.REPORTED or _says_something(event):
        return None
    reports = incident.reports.filter(event__type=opening.REPORTED).select_related("event").order_by("-event_id")
    found = next((each.event.payload for each in reports[:LATEST] if _says_something(each.event)), None)
    return {**event.payload, **found} if found else None


def _says_something(event: ChannelEvent) -> bool:
    return any(event.payload.get(name) for name in ("kind", "description"))
