"""Whether a venue is free on a day, by its own system. docs/vendors/README.md, "Queries that you answer"."""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from pydantic import BaseModel, StrictBool, ValidationError

from integrations.errors import Permanent
from integrations.models import System
from integrations.remote_reads.asking import ask
from integrations.vendors import CALLED
from wedsync.live.event_types.payloads import Count, Text


class NotAsked(ValueError):
    """The system cannot be asked for a free day; the message tells people why."""


@dataclass(frozen=True)
class Availability:
    """A venue's answer. ``capacity``: the most guests, ``note``: its own words; both are optional."""

    date: dt.date
    guests: int
    available: bool
    capacity: int | None = None
    note: str = ""


class _Answer(BaseModel):
    available: StrictBool
    capacity: Count | None = None
    note: Text | None = None


def can_be_asked(system: System) -> bool:
    """Whether systems of this kind answer questions about free days."""
    called = CALLED.get(system.kind)
    return called is not None and called.tells_availability


def check(system: System, date: dt.date, guests: int) -> Availability:
    """Ask a venue's system now, within the deadline of an urgent call.

    Raises:
        NotAsked: the system is of another kind, or stopped.
        DeliveryError: no answer, or an unreadable one.
    """
    if not can_be_asked(system):
        raise NotAsked(f"{system} cannot be asked about free days; only venues' systems can.")
    if system.state != System.Status.ACTIVE:
        raise NotAsked(f"{system} is {system.state}. Resume it first.")
    query: dict[str, str | int] = {"date": date.isoformat(), "guests": guests}
    answer = ask(system, "/availability", query, deadline=settings.URGENT_DEADLINE_SECONDS)
    try:
        read = _Answer.model_validate(answer)
    except ValidationError as error:
        raise Permanent("the answer does not say whether the day is available") from error
    return Availability(date, guests, read.available, read.capacity, read.note or "")
