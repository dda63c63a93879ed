"""What staff do with incidents: raise one, start an exercise, and give the all-clear."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from integrations import event_filters, suppliers
from integrations.models import Route, System
from integrations.targets import Plan
from integrations.wedding_events import Origin, wedding_event
from notifications import incidents, making, recipients
from notifications.models import Incident
from wedsync.ids import new_id
from wedsync.live.channels import matches, names_for, ops_channel
from wedsync.live.log import NewEvent
from wedsync.live.models import ChannelEvent
from wedsync.live.publishing import publish
from wedsync.queues import Priority
from wedsync.weddings.models import Wedding


class AlreadyOpen(ValueError):
    """The wedding has such an incident or drill already; the text says so, for staff."""


@transaction.atomic
def raise_by_hand(
    wedding: Wedding, kind: str, description: str, *, by: str, drill: bool = False, contact_phone: str = ""
) -> ChannelEvent:
    """Report an emergency as staff, or start an exercise, which reaches staff only; returns its event.

    Raises:
        AlreadyOpen: a drill of this wedding is under way. A further emergency joins the open incident.
    """
    if drill:
        return _drill(wedding, kind, description, by)
    payload = {"kind": kind, "description": description, "reported_by": by}
    if contact_phone:
        payload["contact_phone"] = contact_phone
    origin = Origin(ChannelEvent.Source.WEDSYNC, timezone.now(), new_id())
    (event,) = publish([wedding_event(wedding, incidents.REPORTED, payload, origin)])
    return event


def _drill(wedding: Wedding, kind: str, description: str, by: str) -> ChannelEvent:
    if Incident.objects.filter(incidents.LIVING, wedding=wedding, drill=True).exists():
        raise AlreadyOpen("A drill of this wedding is under way. Resolve it first.")
    incident_id = new_id()
    payload = {"incident_id": str(incident_id), "kind": kind, "description": description, "started_by": by}
    (event,) = publish([_ops_event(wedding, incidents.DRILL_STARTED, payload)])
    incident = incidents.new_incident(event, wedding.id, opened_by=by, drill=True)
    incident.id = incident_id
    incident.save(force_insert=True)
    making.make(event, to_staff(wedding), plan_step=0, why="a drill", priority=Priority.URGENT)
    return event


def to_staff(wedding: Wedding) -> list[Plan]:
    """The Slack channels that the wedding's emergencies go to, and the owners and the support by mail."""
    organization_id = wedding.organization_id
    slack = Route.objects.filter(organization_id=organization_id, active=True, system__kind=System.Kind.SLACK)
    usable = slack.exclude(system__state=System.Status.DISABLED).select_related("system").order_by("id")
    names = names_for(
        incidents.REPORTED,
        organization_id=organization_id,
        wedding_id=wedding.id,
        supplier_ids=suppliers.of_weddings([wedding.id])[wedding.id],
    )
    by_id = {route.system.id: route.system for route in usable if route.system and _takes_emergencies(route, names)}
    senders = recipients.sending_systems(organization_id)
    return [*map(recipients.to_team, by_id.values()), *recipients.to_staff(organization_id, senders)]


def _takes_emergencies(route: Route, names: Sequence[str]) -> bool:
    return event_filters.takes(route.event_types, incidents.REPORTED) and any(
        matches(route.channel_pattern, name) for name in names
    )


def _ops_event(wedding: Wedding, event_type: str, payload: dict[str, str]) -> NewEvent:
    return NewEvent(
        organization_id=wedding.organization_id,
        wedding_id=wedding.id,
        type=event_type,
        payload={"wedding_id": str(wedding.id), **payload},
        occurred_at=timezone.now(),
        source=ChannelEvent.Source.WEDSYNC,
        channels=[ops_channel(wedding.organization_id)],
        effect=ChannelEvent.Effect.NONE,
    )


@transaction.atomic
def resolve(incident: Incident, *, by: str) -> bool:
    """End an incident, once, and give the all-clear to everyone who was alerted; whether it was not ended already."""
    living = Incident.objects.filter(incidents.LIVING, id=incident.id)
    if not living.update(
        state=Incident.State.RESOLVED, resolved_at=Now(), resolved_by=by[:200], next_step_at=None, update_due_at=None
    ):
        return False
    incident.refresh_from_db()
    incidents.call_off(incident)
    payload = {"incident_id": str(incident.id), "kind": incident.kind, "description": incident.description}
    payload["resolved_by"] = by
    if incident.drill:
        new = _ops_event(incident.wedding, incidents.RESOLVED, payload)
    else:
        new = wedding_event(
            incident.wedding, incidents.RESOLVED, payload, Origin(ChannelEvent.Source.WEDSYNC, timezone.now(), new_id())
        )
    (event,) = publish([new])
    making.make(event, incidents.alerted(incident), plan_step=0, why="the all-clear", priority=Priority.URGENT)
    return True
