"""Emergencies held by a paused connection: staff are called about them for as long as they are held.

Each is reported by a question to staff that names the stored event. Once that event is released and routed, the people
of its wedding are told, and staff are no longer asked about it (docs/staff/incidents.md).
"""

from datetime import timedelta
from enum import Enum
from uuid import UUID

from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, UUIDField, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast
from django.utils import timezone

from notifications.incidents import opening
from notifications.models import Incident, IncidentReport
from notifications.trace import recording
from notifications.trace.recording import What
from wedsync.ids import as_id
from wedsync.live.models import ChannelEvent

SOON = timedelta(seconds=5)  # the time within which a released event is routed
RESUMED = "the connection, which was resumed"
Routing = ChannelEvent.Routing


class Asking(Enum):
    """Whether an incident without a wedding still needs an answer from staff."""

    YES = "yes"
    LEAVING = "all that it asks about is let go, and is being routed"
    NO = "all that it asked about was routed"


def asking(incident: Incident) -> Asking:
    """Whether an incident still asks staff. An incident that has a wedding always does."""
    if incident.wedding_id is not None or not incident.reports.exists():
        return Asking.YES
    asked = still_asked(incident)
    if asked.filter(Q(routing=None) | ~Q(routing=Routing.PENDING)).exists():
        return Asking.YES
    return Asking.LEAVING if asked.exists() else Asking.NO


def still_asked(incident: Incident) -> QuerySet[IncidentReport]:
    """The reports that need staff: all but those whose held event has since been routed.

    Each has the ``routing`` of its held event; ``None``: there was none, or it is gone.
    """
    named = KeyTextTransform("event_id", KeyTransform("report", OuterRef("event__payload")))
    stored = ChannelEvent.objects.filter(id=Cast(named, UUIDField())).values("routing")
    of_question = When(event__type=opening.WEDDING_UNKNOWN, then=Subquery(stored))
    rows = incident.reports.annotate(routing=Case(of_question))
    return rows.filter(Q(routing=None) | ~Q(routing=Routing.ROUTED))


def end(incident: Incident) -> None:
    """End an incident that no longer asks staff, without telling anybody. The caller has locked its row."""
    incident.state, incident.resolved_at, incident.resolved_by = Incident.State.RESOLVED, timezone.now(), RESUMED
    incident.staff_due_at = incident.assumed_at = incident.update_due_at = None
    incident.chosen_wedding_id = _only_wedding(incident)
    incident.save()
    stopped = opening.call_off(incident)
    called_off = f" Waiting messages called off: {stopped}." if stopped else ""
    text = f"Nothing of it is held any longer: the people of its wedding are told.{called_off}"
    recording.note_event(incident.event, What.STOPPED, text)


def goes_on(event: ChannelEvent) -> None:
    """An emergency is being routed: if it was held, stop calling staff about it. Call this in a transaction.

    An emergency never waits for the incident's row: if another process has locked it, the next call of staff ends it.
    """
    if event.type != opening.REPORTED or not event.source_connection_id:
        return
    asked_about_it = Incident.objects.filter(
        opening.LIVING,
        organization_id=event.organization_id,
        connection_id=event.source_connection_id,
        wedding=None,
        reports__event__payload__report__event_id=str(event.id),
    )
    incident = asked_about_it.select_for_update(of=("self",), no_key=True, skip_locked=True).first()
    if incident and not still_asked(incident).exists():
        end(incident)


def _only_wedding(incident: Incident) -> UUID | None:
    """The wedding that all its reports were about; ``None``: there were several."""
    named = incident.reports.values_list("event__payload__report__event_id", flat=True)
    stored = ChannelEvent.objects.filter(id__in=[as_id(each) for each in named])
    found = set(stored.filter(organization_id=incident.organization_id).values_list("wedding_id", flat=True))
    return found.pop() if len(found) == 1 else None
