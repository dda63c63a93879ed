"""What is known of an emergency that cannot take its usual way, and how it is repeated to staff."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models

from integrations.models import Connection

LONGEST_NAME, LONGEST_TEXT = 200, 10_000  # characters
NOT_GIVEN = "not given"  # in messages the reader's own word stands in its place


class Trouble(models.TextChoices):
    """Why an emergency did not become an event that is routed."""

    REFUSED = "refused"
    HELD = "held"


@dataclass(frozen=True)
class Report:
    """An emergency that was signed and yet cannot take its usual way, with whatever could be read of it.

    Arguments:
        connection_id: of the connection that it came through.
        reason: a sentence for staff, such as “Its time lies more than 300 s ahead.”
        external_id: the vendor's id; where none could be read, the receipt's.
        booking_id: by which it names its wedding, where that is not known.
        wedding_id: the wedding that it names and that is the organization's.
        event_id: of one that is held: the stored event, which goes on when staff choose its wedding.
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
    """What a report says, as the question repeats it: cut, and never without a word where one is needed."""
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
    """What a report says, in one line."""
    kind = str(payload.get("kind") or "emergency").replace("_", " ")
    booking = f" (booking {payload['booking_id']})" if payload.get("booking_id") else ""
    description = str(payload.get("description") or "").strip() or NOT_GIVEN
    return f"{kind}{booking}: {description}"[:1_000]


def _short(value: object) -> str:
    return str(value or "").strip()[:LONGEST_NAME]
