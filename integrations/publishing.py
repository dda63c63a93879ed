"""What WedSync itself makes known: a wedding changed by its people, a filled form, a milestone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from integrations.routing import capacity_exceeded, wedding_event
from wedsync.ids import new_id
from wedsync.live.log import NewEvent
from wedsync.live.models import ChannelEvent
from wedsync.live.publishing import publish
from wedsync.weddings import changes
from wedsync.weddings.changes import Change, Outcome, Value
from wedsync.weddings.models import Form, Wedding

TIMELINE_FIELDS = ("ceremony_time", "reception_time", "reception_end", "venue_name")


def change_wedding(
    wedding: Wedding, values: Mapping[str, Value], *, occurred_at: datetime, correlation_id: UUID | None = None
) -> list[ChannelEvent]:
    """Change a wedding and publish what that means, in the caller's transaction. What stays equal is not published."""
    written = changes.apply(wedding.id, values, occurred_at)
    applied = {change.field: change for change in written if change.outcome == Outcome.APPLIED}
    wedding.refresh_from_db()
    correlation_id = correlation_id or new_id()
    common: dict[str, Any] = {
        "occurred_at": occurred_at,
        "source": ChannelEvent.Source.API,
        "effect": ChannelEvent.Effect.APPLIED,
        "correlation_id": correlation_id,
    }
    new_events = [
        wedding_event(wedding, event_type, payload, **common) for event_type, payload in _announcements(applied)
    ]
    exceeded = capacity_exceeded(wedding, written, correlation_id=correlation_id)
    return publish([*new_events, *([exceeded] if exceeded else [])])


def _announcements(applied: Mapping[str, Change]) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    timeline = [applied[field] for field in TIMELINE_FIELDS if field in applied]
    if timeline:
        listed = [{"field": each.field, "before": each.before, "after": each.after} for each in timeline]
        found.append(("timeline.updated", {"changes": listed}))
    if change := applied.get("guest_count"):
        found.append(("guest_count.changed", _with_previous("guest_count", change)))
    if change := applied.get("capacity"):
        found.append(("venue.capacity_updated", _with_previous("capacity", change)))
    if change := applied.get("date"):
        found.append(("wedding.date_changed", _with_previous("date", change)))
    return found


def _with_previous(name: str, change: Change) -> dict[str, Any]:
    return {name: change.after} | ({} if change.before is None else {"previous": change.before})


def submit_form(form: Form, answers: dict[str, Any], *, occurred_at: datetime) -> ChannelEvent:
    """Publish a filled form, and change the wedding by the answers that are mapped to its fields.

    Raises:
        ValueError: an answer that its field can not hold; the message names the answer.
    """
    values = {}
    for question, field in form.wedding_fields.items():
        if answers.get(question) in (None, ""):
            continue
        try:
            values[field] = changes.parse(field, answers[question])
        except ValueError as error:
            raise ValueError(f"answers.{question} {error}") from error
    submitted: NewEvent = wedding_event(
        form.wedding,
        "form.submitted",
        {"form_id": str(form.id), "answers": answers},
        occurred_at=occurred_at,
        source=ChannelEvent.Source.API,
        effect=ChannelEvent.Effect.NONE,
    )
    (event,) = publish([submitted])
    if values:
        change_wedding(form.wedding, values, occurred_at=occurred_at, correlation_id=event.correlation_id)
    return event


def reach_milestone(wedding: Wedding, milestone: str, progress: int | str, *, occurred_at: datetime) -> ChannelEvent:
    """Publish a step of the couple's journey."""
    new = wedding_event(
        wedding,
        "journey.milestone_reached",
        {"milestone": milestone, "progress": progress},
        occurred_at=occurred_at,
        source=ChannelEvent.Source.API,
        effect=ChannelEvent.Effect.NONE,
    )
    (event,) = publish([new])
    return event
