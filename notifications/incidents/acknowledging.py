"""“I'll take care of it”: one acknowledgement, by anyone, stops all further steps of an incident."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import Delivery
from integrations.wedding_events.effects import EventOrigin, wedding_event
from notifications import links
from notifications.incidents import opening
from notifications.models import Incident, Message
from notifications.trace import recording
from notifications.trace.recording import What
from wedsync.correlation import current_or_new
from wedsync.live.models import ChannelEvent
from wedsync.live.publishing import publish

LIFE = timedelta(hours=24)


class TooLate(links.BadLink):
    """The link has expired, or the incident is over. The text says which."""


@dataclass(frozen=True)
class Acknowledgement:
    """The incident as it is now; ``already``: somebody had acknowledged it before."""

    incident: Incident
    already: bool


@dataclass(frozen=True)
class AcknowledgeRequest:
    """What a token refers to: who received the message, and what it asked them about."""

    delivery: Delivery
    incident: Incident

    @property
    def name(self) -> str:
        """The reader's name, or their address where there is no contact."""
        return self.delivery.recipient.name if self.delivery.contact else self.delivery.target


def read(token: str, organization_id: UUID | None = None) -> AcknowledgeRequest:
    """What a token refers to. ``organization_id``: of the connection that it came through, if any.

    Raises:
        BadLink: not one of ours, or of another organization.
        TooLate: older than a day.
    """
    delivery_id = links.read_acknowledge_token(token)
    rows = Delivery.objects.select_related("contact", "system", "event__wedding").filter(id=delivery_id)
    delivery = (rows.filter(organization_id=organization_id) if organization_id else rows).first()
    incident = opening.of_delivery(delivery) if delivery else None
    if delivery is None or incident is None:
        raise links.BadLink("This link does not lead to an emergency that we know.")
    if incident.opened_at + LIFE < timezone.now():
        raise TooLate("This link is more than a day old.")
    return AcknowledgeRequest(delivery, incident)


@transaction.atomic
def acknowledge(token: str, *, by: str, via: str, organization_id: UUID | None = None) -> Acknowledgement:
    """Acknowledge by the token that a message carried.

    Raises:
        BadLink: not one of ours.
        TooLate: older than a day.
    """
    asked = read(token, organization_id)
    answer = acknowledge_incident(asked.incident, by=by or asked.name, via=via)
    if answer.already:
        recording.note(asked.delivery, What.ACKNOWLEDGED, f"{by or asked.name} has seen it too, via {via}")
    else:
        Message.objects.filter(delivery=asked.delivery, acknowledged_at=None).update(acknowledged_at=Now())
        recording.note(asked.delivery, What.ACKNOWLEDGED, f"acknowledged by {by or asked.name}, via {via}")
    return answer


@transaction.atomic
def acknowledge_incident(incident: Incident, *, by: str, via: str) -> Acknowledgement:
    """Acknowledge an incident once; later callers learn who was first. It and the escalation wait for each other."""
    open_one = Incident.objects.filter(id=incident.id, state=Incident.State.OPEN)
    taken = open_one.update(
        state=Incident.State.ACKNOWLEDGED,
        acknowledged_at=Now(),
        acknowledged_by=by[:200],
        acknowledged_via=via[:32],
        next_step_at=None,
        staff_due_at=None,
    )
    incident.refresh_from_db()
    if not taken:
        return Acknowledgement(incident, already=True)
    stopped = opening.stop_escalation(incident)
    called_off = f" Waiting messages called off: {stopped}." if stopped else ""
    text = f"{by} has acknowledged it, via {via}. All further steps stop.{called_off}"
    recording.note_event(incident.event, What.STOPPED, text)
    if incident.wedding and not incident.drill:
        payload = {"incident_id": str(incident.id), "by": by[:200], "via": via[:32]}
        origin = EventOrigin(ChannelEvent.Source.WEDSYNC, timezone.now(), current_or_new())
        publish([wedding_event(incident.wedding, opening.ACKNOWLEDGED, payload, origin)])
    return Acknowledgement(incident, already=False)
