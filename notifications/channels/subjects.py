"""From a delivery to the subject of its message."""

from copy import copy

from django.utils import timezone

from integrations.models import Delivery
from notifications.digests import windows
from notifications.incidents import escalation, late_reports, opening, placement, reach_checks
from notifications.models import Incident
from notifications.wording import Subject
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import ContactChannel


def of(delivery: Delivery) -> Subject:
    """The subject of a delivery's message."""
    incident = opening.of_delivery(delivery)
    return Subject(
        event=_whole_event(delivery, incident),
        contact=delivery.contact,
        channel=ContactChannel(delivery.channel),
        step=delivery.plan_step,
        escalated=incident is not None and _is_told_again(delivery),
        asks=incident is not None and escalation.asks(delivery, incident),
        drill=delivery.event.type == reach_checks.SELF_TEST or (incident is not None and incident.drill),
        digest=windows.digest_of(delivery),
    )


def _is_told_again(delivery: Delivery) -> bool:
    """Whether nobody has acknowledged the earlier messages. The first call of staff comes immediately."""
    if delivery.event.type == opening.WEDDING_UNKNOWN:
        return delivery.plan_step > opening.FIRST_STAFF_CALL
    return delivery.plan_step > opening.FIRST_ESCALATION and delivery.plan_step != opening.FIRST_STAFF_CALL - 1


def _whole_event(delivery: Delivery, incident: Incident | None) -> ChannelEvent:
    """The event; for several changes told in one message, its payload leads from the first to the last.

    A question of ours is told in its current state; an emergency whose report said nothing, by later reports; a
    further report together with those that it represents.
    """
    payload = windows.merged_payload(delivery)
    if incident and delivery.event.type == opening.WEDDING_UNKNOWN:
        payload = placement.told(incident, delivery.event.payload, timezone.now())
    elif incident and payload is None and _is_told_again(delivery):
        payload = late_reports.said_since(incident, delivery.event)
    elif incident and payload is None and (further := late_reports.passed_over(incident, delivery.event)):
        payload = {**delivery.event.payload, "further": further}
    if payload is None:
        return delivery.event
    event = copy(delivery.event)
    event.payload = payload
    return event
