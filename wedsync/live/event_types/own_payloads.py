"""The payloads of events that only we publish: of incidents, alerts, checks and the health of systems."""

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from wedsync.live.event_types.payloads import Moment, Name, Payload, Text


class Alert(Payload):
    """``cause``: one of :class:`integrations.models.Alert`'s; ``system_id``: whom it is about, if it is about one."""

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
    """``trouble``: why the emergency did not go to a wedding's people; ``reason``: more of it, for staff to read.

    ``suggestion``: the only wedding that it can be about; ``assumed_at``: when that is alarmed unless staff answer.
    ``further``: what came after the first report and says something else.
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
    """A drill of the emergency's way to staff. ``day``: UTC's."""

    day: dt.date


class ReachChecked(Payload):
    """Whom an emergency of a wedding of today would reach, and by what; ``gaps``: what stands against it."""

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


class HealthChanged(Payload):
    system_id: UUID
    system: Name
    status: Literal["healthy", "warning", "critical"]
    previous: Literal["healthy", "warning", "critical"]
    score: Annotated[int, Field(ge=0, le=100)]
    why: list[Text] = Field(default_factory=list, max_length=20)
