"""What staff do with incidents: raise one, start a drill, and give the all-clear."""

from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from integrations.wedding_events.effects import EventOrigin, wedding_event
from notifications.incidents import opening
from notifications.models import Incident
from notifications.plans import extra_deliveries
from notifications.recipients import staff
from wedsync.correlation import current_or_new
from wedsync.ids import new_id
from wedsync.live.channels import ops_channel
from wedsync.live.log.writer import NewEvent
from wedsync.live.models import ChannelEvent
from wedsync.live.publishing import publish
from wedsync.queues import Priority
from wedsync.weddings.models import Wedding

UNDER_WAY = "A drill for this wedding is under way. Resolve it first."


class AlreadyOpen(ValueError):
    """The wedding already has an open drill; the text tells staff so."""


@transaction.atomic
def raise_emergency(
    wedding: Wedding, kind: str, description: str, *, by: str, drill: bool = False, contact_phone: str = ""
) -> ChannelEvent:
    """Report an emergency as staff, or start a drill, which reaches staff only; returns its event.

    Raises:
        AlreadyOpen: a drill for this wedding is under way. (A further emergency joins the open incident.)
    """
    if drill:
        return _drill(wedding, kind, description, by)
    payload = {"kind": kind, "description": description, "reported_by": by}
    if contact_phone:
        payload["contact_phone"] = contact_phone
    origin = EventOrigin(ChannelEvent.Source.WEDSYNC, timezone.now(), current_or_new(), author=by)
    (event,) = publish([wedding_event(wedding, opening.REPORTED, payload, origin)])
    return event


def _drill(wedding: Wedding, kind: str, description: str, by: str) -> ChannelEvent:
    if Incident.objects.filter(opening.LIVING, wedding=wedding, drill=True).exists():
        raise AlreadyOpen(UNDER_WAY)
    incident_id = new_id()
    payload = {"incident_id": str(incident_id), "kind": kind, "description": description, "started_by": by}
    (event,) = publish([_ops_event(wedding.organization_id, wedding, opening.DRILL_STARTED, payload)])
    incident = opening.new_incident(event, wedding.id, opened_by=by, drill=True)
    incident.id = incident_id
    Incident.objects.bulk_create([incident], ignore_conflicts=True)
    if not Incident.objects.filter(id=incident_id).exists():  # another drill for this wedding began at the same moment
        raise AlreadyOpen(UNDER_WAY)
    extra_deliveries.create(
        event, staff.everyone(wedding.organization_id, wedding), plan_step=0, why="a drill", priority=Priority.URGENT
    )
    return event


def _ops_event(organization_id: UUID, wedding: Wedding | None, event_type: str, payload: dict[str, str]) -> NewEvent:
    named = {"wedding_id": str(wedding.id)} if wedding else {}
    return NewEvent(
        organization_id=organization_id,
        wedding_id=wedding.id if wedding else None,
        type=event_type,
        payload={**named, **payload},
        occurred_at=timezone.now(),
        source=ChannelEvent.Source.WEDSYNC,
        channels=[ops_channel(organization_id)],
        effect=ChannelEvent.Effect.NONE,
    )


@transaction.atomic
def resolve(incident: Incident, *, by: str) -> bool:
    """End an incident and give the all-clear to everyone who was alerted; false where it had already ended."""
    living = Incident.objects.filter(opening.LIVING, id=incident.id)
    if not living.update(
        state=Incident.State.RESOLVED,
        resolved_at=Now(),
        resolved_by=by[:200],
        next_step_at=None,
        update_due_at=None,
        staff_due_at=None,
        assumed_at=None,
    ):
        return False
    incident.refresh_from_db()
    opening.call_off(incident)
    payload = {"incident_id": str(incident.id), "kind": incident.kind, "description": incident.description}
    payload["resolved_by"] = by
    if incident.drill or incident.wedding is None:
        new = _ops_event(incident.organization_id, incident.wedding, opening.RESOLVED, payload)
    else:
        origin = EventOrigin(ChannelEvent.Source.WEDSYNC, timezone.now(), current_or_new())
        new = wedding_event(incident.wedding, opening.RESOLVED, payload, origin)
    (event,) = publish([new])
    extra_deliveries.create(
        event, opening.alerted(incident), plan_step=0, why="the all-clear", priority=Priority.URGENT
    )
    return True
