"""What is known of an emergency that cannot be routed as usual, and how staff are told of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models

from integrations.models import Connection

LONGEST_NAME, LONGEST_TEXT = 200, 10_000  # characters
NOT_GIVEN = "not given"  # messages have the reader's own words in its place


class Trouble(models.TextChoices):
    """Why an emergency did not become a routed event."""

    REFUSED = "refused"
    HELD = "held"


@dataclass(frozen=True)
class Report:
    """A signed emergency that cannot be routed as usual, with whatever could be read of it.

    Arguments:
        connection_id: the connection that it came through.
        reason: a sentence for staff, such as “Its time is more than 300 s ahead.”
        external_id: the vendor's id; where none could be read, the receipt's.
        booking_id: the booking that it names, where its wedding is unknown.
        wedding_id: the wedding that it names, if it belongs to the organization.
        event_id: the stored event of a held emergency, which is routed when staff choose its wedding.
    """

    organization_id: UUID
    connection_id: str
    trouble: Trouble
    reason: str
    external_id: str
    kind: str = ""
    description: str = ""
    reported_by: str = ""
    contact_phone: str = ""
    location: str = ""
    booking_id: str = ""
    wedding_id: UUID | None = None
    event_id: UUID | None = None


def as_told(given: dict[str, Any], connection: Connection | None) -> dict[str, Any]:
    """What a report says, as the question to staff repeats it: shortened, with every required field filled in."""
    sender = connection.system.name if connection else ""
    said = {name: _short(given.get(name)) for name in ("contact_phone", "venue_name", "booking_id")}
    return {
        "kind": _short(given.get("kind")) or "emergency",
        "description": (str(given.get("description") or "").strip() or NOT_GIVEN)[:LONGEST_TEXT],
        "reported_by": _short(given.get("reported_by")) or sender or NOT_GIVEN,
        "sender": sender[:LONGEST_NAME] or None,
        **{name: value or None for name, value in said.items()},
    }


def line_of(payload: Mapping[str, Any]) -> str:
    """A report in one line."""
    kind = str(payload.get("kind") or "emergency").replace("_", " ")
    booking = f" (booking {payload['booking_id']})" if payload.get("booking_id") else ""
    description = str(payload.get("description") or "").strip() or NOT_GIVEN
    return f"{kind}{booking}: {description}"[:1_000]


def _short(value: object) -> str:
    return str(value or "").strip()[:LONGEST_NAME]
