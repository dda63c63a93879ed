"""The payloads of events that only WedSync publishes: incidents, alerts, checks and the health of systems."""

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from wedsync.live.event_types.payloads import Moment, Name, Payload, Text


class Alert(Payload):
    """``cause``: a cause of :class:`integrations.models.Alert`; ``system_id``: the system it is about, if any."""

    alert_id: UUID
    cause: Name
    text: Text
    system_id: UUID | None = None
    system: Name | None = None


class DrillStarted(Payload):
    incident_id: UUID
    kind: Name
    description: Text
    started_by: Name


class WeddingUnknown(Payload):
    """``trouble``: why the emergency did not go to a wedding's people; ``reason``: the details, for staff.

    ``suggestion``: the only wedding that it can be about; ``assumed_at``: when that is alerted unless staff answer.
    ``further``: later reports that say something else than the first.
    """

    incident_id: UUID
    trouble: Literal["no_wedding_named", "booking_unknown", "wedding_not_ours", "refused", "held"]
    kind: Name
    description: Text
    reported_by: Name
    contact_phone: Name | None = None
    venue_name: Name | None = None
    booking_id: Name | None = None
    sender: Name | None = None
    reason: Text | None = None
    suggestion: Text | None = None
    assumed_at: Moment | None = None
    further: list[Text] = Field(default_factory=list, max_length=20)
    report: dict[str, Any] = Field(default_factory=dict)


class SelfTest(Payload):
    """A test of whether emergencies reach staff. ``day``: in UTC."""

    day: dt.date


class ReachChecked(Payload):
    """Whom an emergency at one of today's weddings would reach, and how; ``gaps``: what prevents more."""

    wedding: Name
    reached: list[Text] = Field(default_factory=list, max_length=20)
    gaps: list[Text] = Field(default_factory=list, max_length=20)


class IncidentAcknowledged(Payload):
    incident_id: UUID
    by: Name
    via: Name


class IncidentResolved(Payload):
    incident_id: UUID
    kind: Name
    description: Text
    resolved_by: Name


class LinkRequested(Payload):
    """A contact asked for a new link to the couple's page."""

    contact_id: UUID


class HealthChanged(Payload):
    system_id: UUID
    system: Name
    status: Literal["healthy", "warning", "critical"]
    previous: Literal["healthy", "warning", "critical"]
    score: Annotated[int, Field(ge=0, le=100)]
    why: list[Text] = Field(default_factory=list, max_length=20)
