"""The event types: category, base priority, payload, and the scopes that each appears on.

docs/developers/event-types.md lists them. Clients may publish further ones, ``custom.<word>``, whose payload is theirs.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from wedsync.live.event_types import own_payloads, payloads
from wedsync.queues import Priority

EMERGENCY = "venue.emergency_reported"
LINK_REQUESTED = "personal_link.requested"
CUSTOM_PATTERN = r"^custom\.[a-z][a-z0-9_]{0,56}$"
_CUSTOM = re.compile(CUSTOM_PATTERN)


class Category(StrEnum):
    """The category, by which people set their preferences."""

    TIMELINE = "timeline"
    BOOKINGS = "bookings"
    PAYMENTS = "payments"
    GALLERY = "gallery"
    CAPACITY = "capacity"
    EMERGENCIES = "emergencies"
    JOURNEY = "journey"
    OPERATIONS = "operations"
    CUSTOM = "custom"


class Scope(StrEnum):
    """The company's own live channels, by audience."""

    COUPLE = "couple"
    SUPPLIERS = "suppliers"  # every supplier of the wedding
    SUPPLIER = "supplier"  # the supplier that sent the event
    PHOTOGRAPHY = "photography"
    URGENT = "urgent"
    FORM = "form"
    JOURNEY = "journey"
    OPS = "ops"  # staff: the health of connected systems and of WedSync itself


@dataclass(frozen=True)
class EventType:
    """One row of the catalogue."""

    name: str
    payload: type[payloads.Payload]
    category: Category
    priority: Priority
    scopes: frozenset[Scope]

    @property
    def is_about_us(self) -> bool:
        """Whether it is about WedSync and its systems, or a drill: for staff, never for a wedding's people."""
        return self.scopes == {Scope.OPS}

    @property
    def is_ours(self) -> bool:
        """Whether only WedSync publishes it. Nobody outside may send this type."""
        return self.is_about_us or self.name.startswith(("incident.", "personal_link."))

    @property
    def needs_wedding(self) -> bool:
        """Whether nobody can be told of it before its wedding is known."""
        return not self.is_ours and not is_custom(self.name)


def _type(
    name: str, payload: type[payloads.Payload], category: Category, priority: Priority, *scopes: Scope
) -> EventType:
    return EventType(name, payload, category, priority, frozenset(scopes))


_COUPLE, _SUPPLIERS, _SUPPLIER = Scope.COUPLE, Scope.SUPPLIERS, Scope.SUPPLIER
_LOW, _NORMAL, _HIGH, _URGENT = Priority.LOW, Priority.NORMAL, Priority.HIGH, Priority.URGENT
_BOOKINGS, _CAPACITY = Category.BOOKINGS, Category.CAPACITY

CATALOGUE: dict[str, EventType] = {
    entry.name: entry
    for entry in (
        _type(
            "timeline.updated",
            payloads.TimelineUpdated,
            Category.TIMELINE,
            _HIGH,
            _COUPLE,
            Scope.PHOTOGRAPHY,
            _SUPPLIERS,
        ),
        _type("guest_count.changed", payloads.GuestCountChanged, _CAPACITY, _NORMAL, _COUPLE, _SUPPLIERS),
        _type("booking.created", payloads.Booking, _BOOKINGS, _NORMAL, _COUPLE, _SUPPLIER),
        _type("booking.updated", payloads.Booking, _BOOKINGS, _NORMAL, _COUPLE, _SUPPLIER),
        _type("booking.confirmed", payloads.Booking, _BOOKINGS, _NORMAL, _COUPLE, _SUPPLIER),
        _type("booking.cancelled", payloads.Booking, _BOOKINGS, _HIGH, _COUPLE, _SUPPLIER),
        _type("gallery.ready", payloads.Gallery, Category.GALLERY, _LOW, _COUPLE, Scope.PHOTOGRAPHY),
        _type("gallery.delivered", payloads.Gallery, Category.GALLERY, _LOW, _COUPLE, Scope.PHOTOGRAPHY),
        _type("payment.received", payloads.Payment, Category.PAYMENTS, _NORMAL, _COUPLE, _SUPPLIER),
        _type("payment.failed", payloads.Payment, Category.PAYMENTS, _HIGH, _COUPLE, _SUPPLIER),
        _type("client.updated", payloads.ClientUpdated, _BOOKINGS, _LOW, Scope.PHOTOGRAPHY),
        _type("venue.capacity_updated", payloads.CapacityUpdated, _CAPACITY, _HIGH, _COUPLE, _SUPPLIERS),
        _type("venue.capacity_exceeded", payloads.CapacityExceeded, _CAPACITY, _HIGH, _COUPLE, _SUPPLIERS),
        _type("venue.setup_scheduled", payloads.VenueWork, _CAPACITY, _NORMAL, _SUPPLIERS),
        _type("venue.catering_updated", payloads.VenueWork, _CAPACITY, _NORMAL, _SUPPLIERS),
        _type("venue.space_assigned", payloads.VenueWork, _CAPACITY, _NORMAL, _SUPPLIERS),
        _type(
            EMERGENCY,
            payloads.EmergencyReported,
            Category.EMERGENCIES,
            _URGENT,
            _COUPLE,
            _SUPPLIERS,
            Scope.URGENT,
        ),
        _type("wedding.date_changed", payloads.DateChanged, Category.TIMELINE, _HIGH, _COUPLE, _SUPPLIERS),
        _type("form.submitted", payloads.FormSubmitted, _BOOKINGS, _NORMAL, Scope.FORM, _SUPPLIERS),
        _type("journey.milestone_reached", payloads.MilestoneReached, Category.JOURNEY, _LOW, Scope.JOURNEY, _COUPLE),
        _type(
            "incident.acknowledged",
            own_payloads.IncidentAcknowledged,
            Category.EMERGENCIES,
            _HIGH,
            _COUPLE,
            Scope.URGENT,
        ),
        _type(
            "incident.resolved",
            own_payloads.IncidentResolved,
            Category.EMERGENCIES,
            _URGENT,
            _COUPLE,
            _SUPPLIERS,
            Scope.URGENT,
        ),
        _type(LINK_REQUESTED, own_payloads.LinkRequested, Category.JOURNEY, _HIGH),
        _type("incident.drill_started", own_payloads.DrillStarted, Category.EMERGENCIES, _URGENT, Scope.OPS),
        _type("incident.wedding_unknown", own_payloads.WeddingUnknown, Category.EMERGENCIES, _URGENT, Scope.OPS),
        _type("ops.alert_raised", own_payloads.Alert, Category.OPERATIONS, _HIGH, Scope.OPS),
        _type("ops.alert_resolved", own_payloads.Alert, Category.OPERATIONS, _NORMAL, Scope.OPS),
        _type("ops.self_test", own_payloads.SelfTest, Category.OPERATIONS, _URGENT, Scope.OPS),
        _type("ops.reach_checked", own_payloads.ReachChecked, Category.OPERATIONS, _HIGH, Scope.OPS),
        _type("system.health_changed", own_payloads.HealthChanged, Category.OPERATIONS, _LOW, Scope.OPS),
    )
}


def is_custom(name: str) -> bool:
    """Whether this is a type of a client's own: ``custom.`` and a word of lower-case letters, digits and ``_``."""
    return _CUSTOM.fullmatch(name) is not None


def is_known(name: str) -> bool:
    """Whether there are events of this type: it is in the catalogue, or a client's own."""
    return name in CATALOGUE or is_custom(name)


def type_of(name: str) -> EventType:
    """An event type by its name. A client's own appears only where it is published.

    Raises:
        KeyError: there is no such type.
    """
    if name in CATALOGUE or not is_custom(name):
        return CATALOGUE[name]
    return EventType(name, payloads.Custom, Category.CUSTOM, Priority.NORMAL, frozenset())
