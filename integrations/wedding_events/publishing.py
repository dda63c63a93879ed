"""Events that WedSync itself publishes: a wedding changed by people, a submitted form, a milestone."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from integrations.wedding_events.effects import EventOrigin, capacity_exceeded, wedding_event
from wedsync.correlation import current_or_new
from wedsync.live.event_types.payloads import is_blank
from wedsync.live.log.writer import NewEvent
from wedsync.live.models import ChannelEvent
from wedsync.live.publishing import publish
from wedsync.weddings import changes, fields
from wedsync.weddings.changes import ChangeResult, FieldChange, Said
from wedsync.weddings.fields import Value
from wedsync.weddings.models import Form, Wedding
from wedsync.wire.problems import FieldProblem

Effect, Source = ChannelEvent.Effect, ChannelEvent.Source
TIMELINE_FIELDS = ("ceremony_time", "reception_time", "reception_end", "venue_name")


class UnfitAnswer(ValueError):
    """An answer in a form that does not fit its field of the wedding."""

    def __init__(self, problem: FieldProblem) -> None:
        super().__init__(f"{problem.field} {problem.reason}")
        self.problem = problem


def change_wedding(
    wedding: Wedding, values: Mapping[str, Value], *, occurred_at: datetime, by: str = ""
) -> list[ChannelEvent]:
    """Change a wedding and publish the changes, in the caller's transaction. Equal values are not published.

    ``by``: the name of the person who changed it.
    """
    return publish(_change(wedding, values, EventOrigin(Source.API, occurred_at, current_or_new(), author=by)))


def _change(wedding: Wedding, values: Mapping[str, Value], origin: EventOrigin) -> list[NewEvent]:
    written = changes.apply(wedding.id, values, Said(origin.occurred_at, own=True))
    applied = {change.field: change for change in written if change.outcome == ChangeResult.APPLIED}
    wedding.refresh_from_db()
    ours = replace(origin, effect=Effect.APPLIED)
    return [
        *(wedding_event(wedding, event_type, payload, ours) for event_type, payload in _announcements(applied)),
        *capacity_exceeded(wedding, written, replace(origin, source=Source.WEDSYNC)),
    ]


def _announcements(applied: Mapping[str, FieldChange]) -> list[tuple[str, dict[str, Any]]]:
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


def _with_previous(name: str, change: FieldChange) -> dict[str, Any]:
    known = {} if change.before is None else {"previous": change.before, "before": change.before}
    return {name: change.after, **known}


def submit_form(form: Form, answers: dict[str, Any], *, occurred_at: datetime, by: str = "") -> ChannelEvent:
    """Publish a submitted form, and change the wedding by the answers that are mapped to its fields.

    Raises:
        UnfitAnswer: an answer does not fit its field; nothing is published.
    """
    values = {}
    for question, field in form.wedding_fields.items():
        if is_blank(answers.get(question)):
            continue
        try:
            values[field] = fields.parse(field, answers[question], form.wedding)
        except ValueError as error:
            raise UnfitAnswer(FieldProblem(f"answers.{question}", str(error))) from error
    origin = EventOrigin(Source.API, occurred_at, current_or_new(), author=by)
    changed = _change(form.wedding, values, origin)
    payload = {"form_id": str(form.id), "answers": answers}
    return publish([wedding_event(form.wedding, "form.submitted", payload, origin), *changed])[0]


def reach_milestone(
    wedding: Wedding, milestone: str, progress: int | str, *, occurred_at: datetime, by: str = ""
) -> ChannelEvent:
    """Publish a step of the couple's journey."""
    payload = {"milestone": milestone, "progress": progress}
    origin = EventOrigin(Source.API, occurred_at, current_or_new(), author=by)
    (event,) = publish([wedding_event(wedding, "journey.milestone_reached", payload, origin)])
    return event
