"""The canonical payload of each event type. docs/realtime.md, "Event types".

Every producer (vendors, API, forms) is checked against these; what a vendor sends beyond them stays under ``extra``.
"""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=10_000)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Link = Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=2_000)]
Day = Annotated[dt.date, Field(ge=dt.date(2000, 1, 1), le=dt.date(2200, 12, 31))]
Count = Annotated[int, Field(ge=0, le=100_000, strict=True)]


class Payload(BaseModel):
    """What all payloads share."""

    model_config = ConfigDict(extra="forbid")

    wedding_id: UUID | None = None
    extra: dict[str, Any] = Field(default_factory=dict)


class FieldChange(BaseModel):
    """One field of a timeline: ``field`` as the wedding names it, ``before`` and ``after`` as text or number."""

    model_config = ConfigDict(extra="forbid")

    field: Name
    before: str | int | None = None
    after: str | int | None


class TimelineUpdated(Payload):
    changes: list[FieldChange] = Field(min_length=1, max_length=100)
    schedule: list[dict[str, Any]] | None = Field(default=None, max_length=1_000)
    booking_id: Name | None = None


class GuestCountChanged(Payload):
    guest_count: Count
    previous: Count | None = None
    booking_id: Name | None = None


class Booking(Payload):
    booking_id: Name
    status: Name
    date: Day | None = None
    notes: Text | None = None


class Gallery(Payload):
    gallery_url: Link
    photo_count: Count | None = None
    booking_id: Name | None = None


class Payment(Payload):
    amount: Decimal = Field(ge=0, max_digits=12, decimal_places=2)
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    reference: Name
    booking_id: Name | None = None


class ClientUpdated(Payload):
    client_id: Name
    name: Name | None = None
    email: Name | None = None
    phone: Name | None = None


class CapacityUpdated(Payload):
    capacity: Count
    previous: Count | None = None
    reason: Text | None = None
    venue_name: Name | None = None
    booking_id: Name | None = None


class CapacityExceeded(Payload):
    capacity: Count
    guest_count: Count


class VenueWork(Payload):
    starts_at: dt.datetime | None = None
    requirements: Text | None = None
    space: Name | None = None
    booking_id: Name | None = None


class EmergencyReported(Payload):
    kind: Name
    description: Text
    reported_by: Name
    contact_phone: Name | None = None
    venue_name: Name | None = None
    booking_id: Name | None = None
    wedding_assumed: bool | None = None


class DateChanged(Payload):
    date: Day
    previous: Day | None = None
    booking_id: Name | None = None


class FormSubmitted(Payload):
    form_id: UUID
    answers: dict[str, Any]


class MilestoneReached(Payload):
    milestone: Name
    progress: Annotated[int, Field(ge=0, le=100)] | Literal["done"]


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
    assumed_at: dt.datetime | None = None
    further: list[Text] = Field(default_factory=list, max_length=20)
    report: dict[str, Any] = Field(default_factory=dict)


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
